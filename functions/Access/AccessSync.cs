using System.Diagnostics.Metrics;
using Flex.Platform.Tables;
using Microsoft.Extensions.Logging;
using NodaTime;

namespace Flex.Access;

/// <summary>
/// Brings the door system in line with what a member is entitled to: look, decide, act, until there is nothing left to do, then
/// save. It never fails because of the door system: what could not be done is saved as pending, tried again soon by a delayed
/// message and from then on by the periodic reconcile. Without a connected site members are only put on that list.
/// </summary>
public sealed class AccessSync(
    AccessStore store,
    IDoorAccess doors,
    IAccessSettings settings,
    IAccessDirectory directory,
    TimeProvider time,
    ILogger<AccessSync> log)
{
    public const string MeterName = "Flex.Access";

    /// <summary>
    /// A look creates or adopts, the next may subscribe, the next adds groups; one more finds that someone else has interfered.
    /// </summary>
    private const int MaxLooks = 5;

    /// <summary>Failures in a row after which staff hear of it.</summary>
    private const int PatienceAttempts = 5;

    /// <summary>A new user is fully there after about a minute (measured on the vendor's test site), so that is the first wait.</summary>
    private static readonly Duration FirstWait = Duration.FromSeconds(75);

    private static readonly Meter Meter = new(MeterName);
    private static readonly Counter<long> Alerts = Meter.CreateCounter<long>("flex.access.attention", description: "Members whose door access needs staff.");

    /// <returns>True when the doors are in line now.</returns>
    public async Task<bool> SyncAsync(MemberId memberId, CancellationToken cancellation)
    {
        AccessSettings current = await settings.GetAsync(cancellation);
        for (int attempt = 0; attempt < 3; attempt++)
        {
            (MemberAccess access, string? etag) = await store.FindAsync(memberId, cancellation);
            if (!access.Pending)
            {
                return true;
            }

            if (current.SiteId is not { } siteId)
            {
                await ListAsync(access, cancellation);
                return false;
            }

            MemberAccess after = await new Run(doors, directory, current, siteId, access).AttemptAsync(time.Now(), cancellation);
            if (after.Pending)
            {
                await ListAsync(after, cancellation);
            }

            if ((await store.SaveAsync(after, etag, cancellation)).IsCommitted)
            {
                Report(access, after);
                return !after.Pending;
            }
        }

        throw new TransientFaultException("The member's access changed again and again while it was brought in line.");
    }

    private Task ListAsync(MemberAccess access, CancellationToken cancellation) =>
        store.ListAsync(new PendingAccess(access.MemberId, time.Now()), Wait(access), cancellation);

    /// <summary>Doubling waits after a fault; after those, and for what only staff can change, the periodic reconcile is enough.</summary>
    private static Duration? Wait(MemberAccess after) =>
        after.Attempts is > 0 and < PatienceAttempts ? FirstWait * (1 << (after.Attempts - 1)) : null;

    private void Report(MemberAccess before, MemberAccess after)
    {
        if (after.Attention is { } attention && attention != before.Attention)
        {
            Alerts.Add(1, new KeyValuePair<string, object?>("reason", attention.ToString()));
            log.LogWarning("Door access of {MemberId} needs staff: {Attention} ({Fault}).", after.MemberId, attention, after.LastFault);
        }
        else if (after.LastFault is not null)
        {
            log.LogInformation("Door access of {MemberId} is pending after {Attempts} attempts: {Fault}.", after.MemberId, after.Attempts, after.LastFault);
        }
    }

    /// <summary>One attempt; keeps what it has learnt also when it is cut short.</summary>
    private sealed class Run(IDoorAccess doors, IAccessDirectory directory, AccessSettings settings, string siteId, MemberAccess access)
    {
        private MemberAccess _access = access;

        public async Task<MemberAccess> AttemptAsync(Instant now, CancellationToken cancellation)
        {
            string fault;
            try
            {
                if (await ConvergeAsync(cancellation))
                {
                    return _access with { LastAttemptAt = now };
                }

                fault = "not settled";
            }
            catch (TransientFaultException transient)
            {
                fault = transient.Message;
            }
            catch (DoorRefusedException refused)
            {
                fault = refused.Message;
            }

            bool impatient = _access.Attempts + 1 >= PatienceAttempts;
            return _access with
            {
                Attempts = Math.Min(_access.Attempts + 1, PatienceAttempts),
                LastAttemptAt = now,
                LastFault = fault,
                State = impatient ? AccessState.NeedsAttention : _access.State,
                Attention = impatient ? AccessAttention.Refused : _access.Attention,
            };
        }

        /// <returns>False when the door system is not settled.</returns>
        private async Task<bool> ConvergeAsync(CancellationToken cancellation)
        {
            for (int look = 0; look < MaxLooks; look++)
            {
                if (await LookAsync(cancellation) is not { } found)
                {
                    return true;
                }

                AccessPlan plan = AccessPlan.Decide(_access, found.Snapshot, settings);
                foreach (AccessStep step in plan.Steps)
                {
                    if (!await ActAsync(step, found, cancellation))
                    {
                        return true;
                    }
                }

                if (plan.Outcome == AccessPlanOutcome.Wait)
                {
                    return false;
                }

                if (plan.Outcome == AccessPlanOutcome.Final)
                {
                    _access = _access.Settle(plan.State, plan.Attention);
                    _access = plan.State == AccessState.NeedsAttention ? _access : _access with
                    {
                        Touched = _access.Desired(),
                        Applied = [.. _access.Desired().Where(settings.ManagedGroups.Contains)],
                    };
                    return true;
                }
            }

            throw new TransientFaultException("The door system does not come to rest.");
        }

        /// <returns>Null when staff are needed, which is then in <c>_access</c>.</returns>
        private async Task<Look?> LookAsync(CancellationToken cancellation)
        {
            AccessPerson? person = null;
            DoorUser? user = null;
            if (_access.User is { } ids && ids.SiteId == siteId)
            {
                user = await doors.FindUserAsync(siteId, ids.SiteUserId, cancellation);
            }

            IReadOnlyList<string> desired = _access.Desired();
            if (user is null && (desired.Count > 0 || _access.Provisioning))
            {
                person = await directory.FindAsync(_access.MemberId, cancellation);
                if (person?.Email is not { Length: > 0 } email)
                {
                    _access = desired.Count == 0
                        ? _access.Settle(AccessState.NotProvisioned, null)
                        : _access.Settle(AccessState.NeedsAttention, AccessAttention.NoEmail);
                    return null;
                }

                IReadOnlyList<DoorUser> users = await doors.FindUsersAsync(siteId, email, cancellation);
                if (users.Count > 1)
                {
                    _access = _access.Settle(AccessState.NeedsAttention, AccessAttention.AmbiguousUser);
                    return null;
                }

                user = users.Count == 0 ? null : users[0];
            }

            if (user is null)
            {
                // Whom we knew is gone from the site: with him his groups and his seat.
                _access = _access with { User = null, Applied = [], Provisioning = _access.Provisioning || desired.Count > 0 };
                return new Look(null, person);
            }

            bool all = desired.Count == 0;
            IReadOnlySet<string> groups = user.Kind == DoorUserKind.Protected
                ? new HashSet<string>()
                : await doors.GroupsOfAsync(siteId, user.Ids.PlatformUserId, all ? null : Relevant(), cancellation);
            return new Look(new DoorSnapshot(user, groups), person);
        }

        /// <summary>A user we know is only in managed groups we have put him into; one to be adopted may be in any.</summary>
        private IReadOnlyCollection<string> Relevant() => _access.User is null
            ? [.. settings.ManagedGroups.Union(_access.Touched, StringComparer.Ordinal)]
            : _access.Touched;

        /// <returns>False when the run ends here because staff are needed.</returns>
        private async Task<bool> ActAsync(AccessStep step, Look look, CancellationToken cancellation)
        {
            switch (step)
            {
                case AccessStep.CreateUser:
                    DoorUser created = await doors.CreateUserAsync(siteId, look.Person!, cancellation);
                    _access = _access with { User = created.Ids, Applied = [] };
                    return true;
                case AccessStep.AdoptUser adopt:
                    _access = _access with { User = adopt.User };
                    return true;
                case AccessStep.Subscribe:
                    return await SubscribeAsync(cancellation);
                case AccessStep.AddGroup add:
                    await doors.AddToGroupAsync(siteId, add.GroupId, _access.User!.PlatformUserId, cancellation);
                    _access = _access with { Applied = [.. _access.Applied.Union([add.GroupId]).Order(StringComparer.Ordinal)] };
                    return true;
                case AccessStep.RemoveGroup remove:
                    await doors.RemoveFromGroupAsync(siteId, remove.GroupId, _access.User!.PlatformUserId, cancellation);
                    _access = _access with
                    {
                        Applied = [.. _access.Applied.Where(g => g != remove.GroupId)],
                        Touched = [.. _access.Touched.Where(g => g != remove.GroupId)],
                    };
                    return true;
                case AccessStep.Unsubscribe:
                    await doors.SetSubscribedAsync(siteId, _access.User!.SiteUserId, subscribed: false, cancellation);
                    return true;
                default:
                    throw new DefectException($"Unknown step {step}.");
            }
        }

        private async Task<bool> SubscribeAsync(CancellationToken cancellation)
        {
            try
            {
                await doors.SetSubscribedAsync(siteId, _access.User!.SiteUserId, subscribed: true, cancellation);
            }
            catch (DoorRefusedException refused) when (refused is { Status: 400 or 409 })
            {
                // One of the two ways to say that no seat is free; the other is to say nothing.
            }

            if (await doors.FindUserAsync(siteId, _access.User!.SiteUserId, cancellation) is { Subscribed: true })
            {
                return true;
            }

            _access = _access.Settle(AccessState.NeedsAttention, AccessAttention.NoFreeSeat);
            return false;
        }
    }

    private sealed record Look(DoorSnapshot? Snapshot, AccessPerson? Person);
}
