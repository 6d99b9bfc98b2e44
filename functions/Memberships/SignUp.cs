using Flex.Access;
using Flex.Catalogue;
using Flex.Invoicing;
using Flex.Members;
using Flex.Payments;
using Flex.Platform.Http;
using Flex.Platform.Messaging;
using Flex.Platform.Tables;
using Flex.Settings;
using Microsoft.Extensions.Logging;
using NodaTime;

namespace Flex.Memberships;

/// <param name="MemberId">Who signs up; a member may leave it out.</param>
public sealed record SignUpRequest(PlanId PlanId, MemberId? MemberId = null);

/// <summary>
/// Signs a member up for a plan and bills now. Two commits with the gateway between them: the first reserves the membership
/// as Pending together with the request's key, the second makes it Active or removes it. A request that is cut off in
/// between is resumed by its repetition, or by a message some minutes later; it never charges twice, because invoice and
/// gateway key follow from the membership's id.
/// </summary>
public sealed class SignUpHandler(
    MembershipStore memberships,
    MemberStore members,
    CustomerStore customers,
    CatalogueStore catalogue,
    SettingsStore settings,
    IPaymentGateway gateway,
    CompleteSignUp complete,
    ITableStore tables,
    IIdSource ids,
    TimeProvider time)
{
    /// <summary>Longer than any request takes.</summary>
    private static readonly Duration ResumeAfter = Duration.FromMinutes(10);

    public async Task<Reply<MembershipView>> HandleAsync(SignUpRequest request, RequestContext context, CancellationToken cancellation)
    {
        if ((request.MemberId ?? context.Caller.MemberId) is not { } memberId)
        {
            return Error.Invalid(ErrorCodes.InvalidValue, "/memberId", "Staff name the member who signs up.");
        }

        if (!context.Caller.Reaches(memberId) || await members.FindAsync(memberId, cancellation) is not { } member)
        {
            return Error.Invalid(ErrorCodes.UnknownReference, "/memberId", "There is no such member.");
        }

        if (await catalogue.FindPlanAsync(request.PlanId, cancellation) is not { } plan || (!plan.IsPublic && !context.Caller.IsStaff))
        {
            return Error.Invalid(ErrorCodes.UnknownReference, "/planId", "There is no such plan.");
        }

        string home = EntityId.Home(plan.LocationId);
        if (await ResumeAsync(home, context, cancellation) is { } earlier)
        {
            return earlier;
        }

        if (plan.Price.IsPositive && !gateway.IsConnected)
        {
            return Error.Refused(ErrorCodes.GatewayNotConnected, "No payment gateway is connected.");
        }

        if (plan.Price.IsPositive && (await customers.FindAsync(member.CustomerId, cancellation))?.PaymentMethod is null)
        {
            return Error.Refused(ErrorCodes.PaymentMethodRequired, "Add a payment method first.");
        }

        Location location = await settings.LocationAsync(plan.LocationId, cancellation);
        Instant now = time.Now();
        Membership pending = Membership.SignUp(
            EntityId.New<MembershipId>(ids, home), member.Id, member.CustomerId, plan, now, location.Calendar.DateOf(now));
        await memberships.IndexAsync(pending, cancellation);
        TableBatch batch = MembershipStore.Add(MembershipStore.BatchFor(pending.Id), pending)
            .Send(MembershipMessages.Resume(pending, ResumeAfter));
        SignUpRequestRow.Add(batch, context, pending.Id, now);
        CommitResult result = await memberships.CommitAsync(batch, cancellation);
        if (result.IsDuplicateOf(SignUpRequestRow.Prefix))
        {
            return await ResumeAsync(home, context, cancellation) ?? throw new TransientFaultException("The first request is not readable yet.");
        }

        result.Require();
        return await complete.ChargeAsync(pending.Id, cancellation);
    }

    /// <summary>The answer to a request whose key is known already: what has become of its membership, charged now if that was cut off.</summary>
    private async Task<Reply<MembershipView>?> ResumeAsync(string home, RequestContext context, CancellationToken cancellation)
    {
        if (context.Idempotency is not { } key
            || await tables.FindAsync(MembershipStore.Table, home, SignUpRequestRow.KeyOf(key), cancellation) is not { } row)
        {
            return null;
        }

        SignUpRequestRow earlier = row.As<SignUpRequestRow>();
        return earlier.BodyHash == key.BodyHash
            ? await complete.ChargeAsync(earlier.MembershipId, cancellation)
            : Error.Invalid(ErrorCodes.IdempotencyKeyReuse, string.Empty, "This Idempotency-Key was used with another body.");
    }
}

/// <summary>The key of a sign-up request, and the membership it stands for. The answer is always what that membership says.</summary>
public sealed record SignUpRequestRow(string BodyHash, MembershipId MembershipId, Instant CreatedAt)
{
    public const string Prefix = RowKeys.Idempotency;

    public static string KeyOf(RequestKey key) => key.RowKey;

    public static void Add(TableBatch batch, RequestContext context, MembershipId membershipId, Instant now)
    {
        if (context.Idempotency is { } key)
        {
            batch.Insert(KeyOf(key), new SignUpRequestRow(key.BodyHash, membershipId, now));
        }
    }
}

/// <summary>
/// The second half of a sign-up: charge, then activate or remove. Called by the request itself, by its repetition, by the
/// payment's message and by the message that watches over requests that were cut off.
/// </summary>
public sealed class CompleteSignUp(
    MembershipStore memberships, SettingsStore settings, IMembershipBilling billing, ILogger<CompleteSignUp> log) : IMessageHandler
{
    public string Queue => Queues.Memberships;

    public string Subject => ResumeSignUp.Subject;

    public async Task HandleAsync(Envelope envelope, CancellationToken cancellation) =>
        await ChargeAsync(envelope.Read<ResumeSignUp>().MembershipId, cancellation);

    /// <summary>The membership; Pending while a bank or the gateway owes the outcome; 402 when the payment was declined.</summary>
    public async Task<Reply<MembershipView>> ChargeAsync(MembershipId id, CancellationToken cancellation)
    {
        if (await memberships.FindAsync(id, cancellation) is not { } stored)
        {
            return Declined(null);
        }

        if (stored.Value.Status == MembershipStatus.Pending)
        {
            ChargeOutcome outcome = await billing.ChargeAsync(ChargeOf(stored.Value), cancellation);
            await ApplyAsync(id, outcome.State, cancellation);
            if (outcome.State == ChargeState.Failed)
            {
                return Declined(outcome.FailureCode);
            }

            stored = await memberships.FindAsync(id, cancellation) ?? throw new TransientFaultException("The sign-up has just been undone.");
        }

        return await ViewAsync(stored.Value, cancellation);
    }

    /// <summary>Applies the outcome once; a membership that is not Pending any more is left alone.</summary>
    public async Task ApplyAsync(MembershipId id, ChargeState state, CancellationToken cancellation)
    {
        if (state is not (ChargeState.Succeeded or ChargeState.Failed))
        {
            return;
        }

        Stored<Membership>? found = await memberships.FindAsync(id, cancellation);
        if (found is null && state == ChargeState.Succeeded)
        {
            log.LogWarning("The payment for {MembershipId} came in after its sign-up had been refused: staff have to give it back or sign up again.", id);
        }

        if (found is not { Value.Status: MembershipStatus.Pending } stored)
        {
            return;
        }

        TableBatch batch = MembershipStore.BatchFor(id);
        if (state == ChargeState.Failed)
        {
            MembershipStore.Remove(batch, stored);
        }
        else
        {
            Membership active = stored.Value.Activate();
            SiteCalendar calendar = await CalendarAsync(active.LocationId, cancellation);
            await memberships.ChangeAsync(batch, stored, active, cancellation);
            batch.Send(MembershipMessages.Of(stored.Value, active, calendar, AccessEndReason.Expired));
        }

        CommitResult result = await memberships.CommitAsync(batch, cancellation);
        if (result.Kind != CommitKind.Stale)
        {
            result.Require();
        }
    }

    private static Reply<MembershipView> Declined(string? code) =>
        new Error(ErrorKind.PaymentFailed, ErrorCodes.PaymentFailed, "The payment was declined; no membership was made.")
        {
            Extensions = new Dictionary<string, object?> { ["declineCode"] = code },
        };

    private static MembershipCharge ChargeOf(Membership pending) => new(
        EntityId.Derive<InvoiceId>($"sign-up|{pending.Id}"),
        InvoiceKind.SignUp,
        new MembershipPeriod(pending.Id, pending.AnchorDate, pending.Generation, pending.AttemptNo, 1),
        pending.CustomerId,
        pending.MemberId,
        pending.LocationId,
        $"{pending.Plan.Name}, from {pending.AnchorDate:uuuu-MM-dd}",
        pending.Plan.Price,
        pending.Plan.TaxRateId,
        null);

    private async Task<Reply<MembershipView>> ViewAsync(Membership membership, CancellationToken cancellation) =>
        MembershipView.Of(membership, await CalendarAsync(membership.LocationId, cancellation));

    private async Task<SiteCalendar> CalendarAsync(LocationId location, CancellationToken cancellation) =>
        (await settings.LocationAsync(location, cancellation)).Calendar;
}
