using Flex.Members;
using Flex.Platform.Http;
using Flex.Platform.Tables;

namespace Flex.Wallets;

/// <summary>Changes that staff make to a wallet, and what has to come before the first of them.</summary>
public sealed class WalletChanges(WalletStore wallets, MemberStore members, TimeProvider time)
{
    private const int MaxRounds = 100;

    /// <summary>
    /// Says on the member's record that there is a wallet, before anything is put into it: whoever books looks there only if it says so.
    /// </summary>
    public async Task OpenAsync(MemberId id, CancellationToken cancellation)
    {
        for (int round = 0; round < MaxRounds; round++)
        {
            Stored<Member> member = await members.ReadAsync(id, cancellation) ?? throw new DefectException($"{id} does not exist.");
            if (member.Value.HasWallet)
            {
                return;
            }

            Member owner = member.Value with { HasWallet = true, Version = member.Value.Version + 1 };
            CommitResult result = await members.CommitAsync(MemberStore.Replace(owner, member.ETag), cancellation);
            if (result.Kind != CommitKind.Stale)
            {
                result.Require();
                return;
            }
        }

        throw new TransientFaultException($"{id} keeps changing.");
    }

    /// <summary>Commits what is decided on the wallet as it is, together with the answer. One read, one commit.</summary>
    public async Task<Reply<T>> ChangeAsync<T>(
        MemberId member, RequestContext context, Func<Wallet, Result<WalletChange<T>>> decide, CancellationToken cancellation)
    {
        for (int round = 0; round < MaxRounds; round++)
        {
            StoredWallet stored = await wallets.ReadAsync(member, cancellation);
            Result<WalletChange<T>> decided = decide(stored.Wallet);
            if (decided.IsError)
            {
                return await wallets.ReplayOrAsync<T>(member, context, decided.Error, cancellation);
            }

            TableBatch batch = WalletStore.Put(WalletStore.Batch(member), decided.Value.Wallet.Prune(time.Now()), stored.ETag);
            if (await wallets.TryCommitAsync(batch, context, decided.Value.Answer, time.Now(), cancellation) is { } reply)
            {
                return reply;
            }
        }

        throw new TransientFaultException($"The wallet of {member} keeps changing.");
    }
}

/// <summary>A wallet as it will be and what is answered then.</summary>
public sealed record WalletChange<T>(Wallet Wallet, T Answer);
