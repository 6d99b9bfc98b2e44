using Flex.Platform.Http;
using Flex.Settings;
using FluentValidation;
using NodaTime;

namespace Flex.Members;

/// <param name="CustomerId">Who is billed for the member.</param>
/// <param name="LocationId">The default location.</param>
/// <param name="FirstName">1 to 100 characters.</param>
/// <param name="LastName">1 to 100 characters.</param>
public sealed record CreateMemberRequest(CustomerId CustomerId, LocationId LocationId, string Email, string FirstName, string LastName);

public sealed class CreateMemberValidator : AbstractValidator<CreateMemberRequest>
{
    public CreateMemberValidator()
    {
        RuleFor(r => r.Email).MailAddress();
        RuleFor(r => r.FirstName).PlainText(100);
        RuleFor(r => r.LastName).PlainText(100);
    }
}

public sealed record MemberView(
    MemberId Id,
    CustomerId CustomerId,
    LocationId LocationId,
    string Email,
    string FirstName,
    string LastName,
    MemberStatus Status,
    IReadOnlyList<StandingView> Memberships,
    long Version) : IVersioned
{
    public static MemberView Of(Member member) => new(
        member.Id,
        member.CustomerId,
        member.LocationId,
        member.Email,
        member.FirstName,
        member.LastName,
        MemberStanding.StatusOf(member.Standing),
        [.. member.Standing.Select(s => new StandingView(s.MembershipId, s.LocationId, s.PlanId, s.PlanName, s.IsDefault, s.Status, s.EndsAt))],
        member.Version);
}

/// <summary>One membership as the member's page shows it.</summary>
public sealed record StandingView(
    MembershipId MembershipId, LocationId LocationId, PlanId PlanId, string PlanName, bool IsDefault, MembershipStatus Status, Instant? EndsAt);

public sealed class CreateMemberHandler(MemberStore members, CustomerStore customers, SettingsStore settings, IIdSource ids)
{
    public async Task<Reply<MemberView>> HandleAsync(CreateMemberRequest request, RequestContext context, CancellationToken cancellation)
    {
        if (await RefuseReferencesAsync(request, cancellation) is { } refusal)
        {
            return await members.ReplayOrAsync<MemberView>(context, refusal, cancellation);
        }

        var member = new Member(
            EntityId.New<MemberId>(ids),
            request.CustomerId,
            request.LocationId,
            request.Email,
            request.FirstName,
            request.LastName,
            Standing: [],
            Version: 1);
        return await members.CommitAsync(MemberStore.Insert(member), context, MemberView.Of(member), cancellation);
    }

    private async Task<Error?> RefuseReferencesAsync(CreateMemberRequest request, CancellationToken cancellation)
    {
        if (await customers.FindAsync(request.CustomerId, cancellation) is null)
        {
            return Error.Invalid(ErrorCodes.UnknownReference, "/customerId", "There is no such customer.");
        }

        return await settings.FindLocationAsync(request.LocationId, cancellation) is null
            ? Error.Invalid(ErrorCodes.UnknownReference, "/locationId", "There is no such location.")
            : null;
    }
}
