using System.Globalization;
using CsCheck;
using Flex.Catalogue;
using Flex.Functions.Tests.Bookings;
using Flex.Kernel;
using Flex.Local.Runtime.Storage;
using Flex.Platform;
using Flex.Platform.Mail;
using Flex.Platform.Messaging;
using Flex.Platform.Tables;
using Flex.Settings;
using Flex.Wallets;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using NodaTime;
using Xunit;

namespace Flex.Functions.Tests.Wallets;

public sealed class WalletLedgerTests : IDisposable
{
    private readonly MemoryTableStore _tables = new();
    private readonly RecordingQueue _queue = new();
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2025, 1, 1, 0, 0, 0, TimeSpan.Zero));
    private readonly SettingsStore _settings;
    private readonly WalletStore _wallets;
    private readonly WalletLedger _ledger;

    public WalletLedgerTests()
    {
        _settings = new SettingsStore(_tables, _time);
        _wallets = NewStore(_tables);
        _ledger = new WalletLedger(_wallets, _settings, _time);
    }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _settings.Dispose();

    [Fact, Trait("Rule", "CRD-1")]
    public async Task A_repeated_draw_answers_the_stored_price_and_takes_nothing()
    {
        MemberTerms terms = Terms.Of([Terms.Minutes(60)]);

        BookingPrice first = await DrawAsync(terms, Request(1, 45));
        StoredWallet between = await ReadAsync();
        BookingPrice second = await DrawAsync(terms, Request(1, 45));

        Assert.Equal(StorageJson.Write(first), StorageJson.Write(second));
        Assert.Equal(between.ETag, (await ReadAsync()).ETag);
        Assert.Equal(45, Assert.Single((await ReadAsync()).Wallet.Used).Minutes);
    }

    [Fact, Trait("Rule", "BPS-4")]
    public async Task A_repeated_draw_on_the_wallet_as_it_is_by_then_is_not_refused_for_what_it_took_itself()
    {
        await PutAsync(Terms.With(Terms.Pass(1, 60)));
        await EnablePassesAsync();
        MemberTerms terms = Terms.Of([], Terms.Offer());
        await DrawAsync(terms, Request(1, 60));

        IReadOnlyList<Result<BookingPrice>> repeated = await _ledger.DrawAsync(terms, await ReadAsync(), [Request(1, 60)], DrawMode.Each, Cancellation);

        Assert.Equal(60, repeated[0].Value.PassMinutes);
    }

    [Fact, Trait("Rule", "BKG-7")]
    public async Task An_edit_returns_what_was_taken_and_takes_anew_in_one_commit_also_across_cycles()
    {
        MemberTerms terms = Terms.Of([Terms.Minutes(60)]);
        await DrawAsync(terms, Request(1, 60));

        BookingPrice longer = await DrawAsync(terms, Request(1, 90, revision: 2));
        Assert.Equal((60, Rates.Usd(600)), (longer.CreditMinutes, longer.Fee));
        await DrawAsync(terms, new DrawRequest(Booking(1), 3, Terms.Room, Terms.Time("2025-02-01T10:00", "2025-02-01T10:30")));

        CreditUse used = Assert.Single((await ReadAsync()).Wallet.Used);
        Assert.Equal((new LocalDate(2025, 2, 1), 30), (used.CycleStart, used.Minutes));
    }

    [Fact]
    public async Task A_late_draw_is_refused_after_a_release_and_after_a_later_revision()
    {
        MemberTerms terms = Terms.Of([Terms.Minutes(60)]);
        await DrawAsync(terms, Request(1, 30, revision: 3));
        await ReleaseAsync(2);

        Error overtaken = (await _ledger.DrawAsync(terms, null, [Request(1, 60, revision: 2)], DrawMode.Each, Cancellation))[0].Error!;
        Error released = (await _ledger.DrawAsync(terms, await ReadAsync(), [Request(2, 60)], DrawMode.Each, Cancellation))[0].Error!;

        Assert.Equal((ErrorCodes.InvalidTransition, ErrorCodes.InvalidTransition), (overtaken.Code, released.Code));
        Assert.Equal(30, Assert.Single((await ReadAsync()).Wallet.Used).Minutes);
    }

    [Fact, Trait("Rule", "REC-1")]
    public async Task Bookings_are_priced_in_order_each_against_what_is_left()
    {
        IReadOnlyList<Result<BookingPrice>> prices = await _ledger.DrawAsync(
            Terms.Of([Terms.Minutes(100)]), null, [Request(1, 60), Request(2, 60), Request(3, 60)], DrawMode.AllOrNothing, Cancellation);

        Assert.Equal([60, 40, 0], prices.Select(p => p.Value.CreditMinutes));
        Assert.Equal([0, 400, 1200], prices.Select(p => p.Value.Fee.Minor));
    }

    [Theory, Trait("Rule", "REC-3")]
    [InlineData(DrawMode.AllOrNothing, 0)]
    [InlineData(DrawMode.Each, 60)]
    public async Task One_refusal_refuses_all_or_only_itself(DrawMode mode, int used)
    {
        await PutAsync(Terms.With(Terms.Pass(1, 60)));
        await EnablePassesAsync();

        IReadOnlyList<Result<BookingPrice>> prices = await _ledger.DrawAsync(
            Terms.Of([], Terms.Offer()), null, [Request(1, 30), Request(2, 60), Request(3, 30)], mode, Cancellation);

        Assert.Equal([null, ErrorCodes.OutOfPasses, null], prices.Select(p => p.Error?.Code));
        Assert.Equal(used, (await ReadAsync()).Wallet.Passes[0].UsedMinutes);
    }

    [Fact]
    public async Task A_draw_on_the_wallet_just_read_is_one_storage_call_and_a_release_two()
    {
        MemberTerms terms = Terms.Of([Terms.Minutes(60)]);
        await DrawAsync(terms, Request(1, 15));
        StoredWallet known = await ReadAsync();

        using (StorageCallScope calls = StorageCalls.Measure())
        {
            await _ledger.DrawAsync(terms, known, [Request(2, 15)], DrawMode.Each, Cancellation);
            Assert.Equal(1, calls.Count);
        }

        using (StorageCallScope calls = StorageCalls.Measure())
        {
            await ReleaseAsync(1);
            Assert.Equal(2, calls.Count);
        }

        using (StorageCallScope calls = StorageCalls.Measure())
        {
            await ReleaseAsync(1, 1);
            Assert.Equal(1, calls.Count);
        }
    }

    [Fact, Trait("Rule", "CRD-6")]
    public async Task An_outdated_wallet_is_read_again()
    {
        MemberTerms terms = Terms.Of([Terms.Minutes(60)]);
        StoredWallet outdated = await ReadAsync();
        await DrawAsync(terms, Request(1, 45));

        IReadOnlyList<Result<BookingPrice>> prices = await _ledger.DrawAsync(terms, outdated, [Request(2, 45)], DrawMode.Each, Cancellation);

        Assert.Equal((15, Rates.Usd(600)), (prices[0].Value.CreditMinutes, prices[0].Value.Fee));
    }

    [Fact, Trait("Rule", "CRD-1")]
    public async Task Twenty_parallel_draws_on_five_hours_spend_exactly_five_hours()
    {
        MemberTerms terms = Terms.Of([Terms.Minutes(300)]);
        StoredWallet known = await ReadAsync();

        IReadOnlyList<Result<BookingPrice>>[] prices = await Task.WhenAll(Enumerable.Range(1, 20).Select(i => Task.Run(
            () => _ledger.DrawAsync(terms, known, [Request(i, 60)], DrawMode.Each, Cancellation))));

        Assert.Equal(300, prices.Sum(p => p[0].Value.CreditMinutes));
        Assert.Equal(15 * 1200, prices.Sum(p => p[0].Value.Fee.Minor));
        Assert.Equal(300, Assert.Single((await ReadAsync()).Wallet.Used).Minutes);
    }

    [Fact, Trait("Rule", "BPS-4")]
    public async Task Another_process_that_commits_in_between_is_taken_into_account()
    {
        await PutAsync(Terms.With(Terms.Pass(1, 60)));
        MemberTerms terms = Terms.None;
        var racing = new RacingTables(_tables, () => DrawAsync(terms, Request(2, 40)));
        var ledger = new WalletLedger(NewStore(racing), _settings, _time);

        BookingPrice price = (await ledger.DrawAsync(terms, await ReadAsync(), [Request(1, 40)], DrawMode.Each, Cancellation))[0].Value;

        Assert.Equal((20, Rates.Usd(400)), (price.PassMinutes, price.Fee));
        Assert.Equal(60, (await ReadAsync()).Wallet.Passes[0].UsedMinutes);
    }

    [Fact, Trait("Rule", "BPS-10")]
    public async Task Who_uses_the_last_minutes_is_told_once_where_to_buy_more()
    {
        await PutAsync(Terms.With(Terms.Pass(1, 60)));
        await EnablePassesAsync();
        MemberTerms terms = Terms.Of([], Terms.Offer());

        await DrawAsync(terms, Request(1, 30));
        Assert.Empty(Mails());
        await DrawAsync(terms, Request(2, 30));
        await DrawAsync(terms, Request(2, 30));

        OutgoingMail mail = Assert.Single(Mails());
        Assert.Equal(Terms.Ann.Email, mail.To);
        Assert.Contains(Wallet.PurchaseLink(Terms.Ann.Id), mail.Text, StringComparison.Ordinal);
    }

    [Fact, Trait("Rule", "BPS-8")]
    public async Task What_returns_to_a_removed_pass_is_noted_and_not_usable()
    {
        await PutAsync(Terms.With(Terms.Pass(1, 60)));
        await DrawAsync(Terms.None, Request(1, 40));
        StoredWallet stored = await ReadAsync();
        await PutAsync(stored.Wallet.Change(stored.Wallet.Passes[0] with { RemovedAt = Instant.FromUtc(2025, 1, 2, 0, 0) }), stored.ETag);

        await ReleaseAsync(1);

        Assert.Equal((0, 0), ((await ReadAsync()).Wallet.Passes[0].UsedMinutes, (await ReadAsync()).Wallet.Passes[0].MinutesLeft));
        Assert.Equal(0, (await DrawAsync(Terms.None, Request(2, 40))).PassMinutes);
    }

    [Fact]
    public async Task Many_bookings_are_released_at_once()
    {
        MemberTerms terms = Terms.Of([Terms.Minutes(600)]);
        for (int i = 1; i <= 3; i++)
        {
            await DrawAsync(terms, Request(i, 60));
        }

        await ReleaseAsync([.. Enumerable.Range(1, 200)]);

        Assert.Empty((await ReadAsync()).Wallet.Used);
        Assert.Equal(ErrorCodes.InvalidTransition, (await _ledger.DrawAsync(terms, null, [Request(200, 5)], DrawMode.Each, Cancellation))[0].Error?.Code);
    }

    /// <summary>Random credits, passes, a grant, and bookings that are made, changed, repeated and released.</summary>
    [Fact, Trait("Rule", "CRD-1"), Trait("Rule", "BPS-4"), Trait("Rule", "CRD-3")]
    public void Minutes_and_money_are_conserved_whatever_happens_and_releasing_all_restores_the_wallet() =>
        Gen.Select(Worlds, Steps.Array[1, 30]).Sample(
            (world, steps) =>
            {
                using var test = new WalletLedgerTests();
                test.PlayAsync(world, steps).GetAwaiter().GetResult();
            },
            iter: 150,
            threads: 1);

    private static readonly Gen<World> Worlds = Gen.Select(
        Gen.Int[0, 40].Array[0, 3], Gen.Int[0, 2000].Array[0, 2], Gen.Int[1, 24].Array[0, 4], Gen.Bool, Gen.Bool, Gen.Bool,
        (minutes, amounts, passes, grants, offers, priced) => new World(minutes, amounts, passes, grants, offers, priced));

    private static readonly Gen<Step> Steps = Gen.Select(Gen.Int[0, 9], Gen.Int[1, 6], Gen.Int[1, 40], Gen.Int[0, 60], (kind, booking, length, day) => new Step(kind, booking, length, day));

    private async Task PlayAsync(World world, Step[] steps)
    {
        MemberTerms terms = Terms.Of(
            [
                .. world.Minutes.Select((m, i) => Terms.Minutes(5 * m, world.Priced ? 500 : null, $"minutes {i}")),
                .. world.Amounts.Select((a, i) => Terms.Amount(a, $"amount {i}")),
            ],
            world.Offers ? [Terms.Offer()] : []);
        Wallet origin = Terms.With([.. world.Passes.Select((p, i) => Terms.Pass(i, 5 * p))]) with
        {
            Grants = world.Grants ? [WalletTests.Grant(45, new LocalDate(2025, 1, 1), new LocalDate(2025, 2, 10))] : [],
        };
        await PutAsync(origin);
        await EnablePassesAsync();
        var drawn = new Dictionary<int, BookingPrice>();
        var over = new HashSet<int>();
        var revisions = new Dictionary<int, long>();
        var last = new Dictionary<int, DrawRequest>();
        foreach (Step step in steps)
        {
            if (step.Kind == 0)
            {
                await ReleaseAsync(step.Booking);
                over.Add(step.Booking);
                drawn.Remove(step.Booking);
            }
            else
            {
                bool repeats = step.Kind < 3 && last.ContainsKey(step.Booking) && drawn.ContainsKey(step.Booking);
                DrawRequest request = repeats ? last[step.Booking] : Request(step, revisions.GetValueOrDefault(step.Booking) + 1);
                Result<BookingPrice> price = (await _ledger.DrawAsync(terms, await ReadAsync(), [request], DrawMode.Each, Cancellation))[0];
                Assert.Equal(over.Contains(step.Booking), price.Error?.Code == ErrorCodes.InvalidTransition);
                if (!price.IsError)
                {
                    Assert.True(!repeats || StorageJson.Write(drawn[step.Booking]) == StorageJson.Write(price.Value));
                    drawn[step.Booking] = price.Value;
                    revisions[step.Booking] = request.Revision;
                    last[step.Booking] = request;
                    Assert.Equal(price.Value.Regular, price.Value.Discount + price.Value.MoneyCredit + price.Value.Fee);
                }
            }

            AssertConserved(terms, origin, (await ReadAsync()).Wallet, drawn.Values);
        }

        await ReleaseAsync([.. Enumerable.Range(1, 6)]);
        Wallet end = (await ReadAsync()).Wallet;
        Assert.Empty(end.Used);
        Assert.Equal(origin.Passes.Select(p => (p.Id, p.MinutesLeft)), end.Passes.Select(p => (p.Id, p.MinutesLeft)));
        Assert.Equal(origin.Grants.Select(g => g.MinutesLeft), end.Grants.Select(g => g.MinutesLeft));
    }

    /// <summary>What is used is what the bookings have taken, to the minute and the cent, and never more than was granted.</summary>
    private static void AssertConserved(MemberTerms terms, Wallet origin, Wallet wallet, IEnumerable<BookingPrice> prices)
    {
        Taking[] takings = [.. prices.SelectMany(p => p.Takings)];
        Dictionary<string, (int Minutes, long Amount)> taken = takings.GroupBy(t => t.Source)
            .ToDictionary(g => g.Key, g => (g.Sum(t => t.Minutes), g.Sum(t => t.Amount?.Minor ?? 0)));
        Assert.All(prices, p => Assert.Equal(p.CreditMinutes + p.PassMinutes, p.Takings.Sum(t => t.Minutes)));
        Assert.All(wallet.Passes, p => Assert.Equal((taken.GetValueOrDefault(p.Id.Value).Minutes, p.Minutes), (p.UsedMinutes, p.UsedMinutes + p.MinutesLeft)));
        Assert.All(wallet.Grants, g => Assert.Equal((taken.GetValueOrDefault(g.Id.Value).Minutes, g.Minutes), (g.UsedMinutes, g.UsedMinutes + g.MinutesLeft)));
        Assert.Equal(origin.Passes.Count, wallet.Passes.Count);
        foreach (CreditUse use in wallet.Used)
        {
            PlanCredit credit = terms.Memberships[0].Plan.Credits.Single(c => use.Source.Contains($"|{c.Name}|", StringComparison.Ordinal));
            Assert.Equal(taken[use.Source], (use.Minutes, use.Amount?.Minor ?? 0));
            Assert.InRange(use.Minutes, 0, credit.Minutes ?? 0);
            Assert.InRange(use.Amount?.Minor ?? 0, 0, credit.Amount?.Minor ?? 0);
        }

        Assert.Equal(taken.Count, wallet.Used.Count + wallet.Passes.Count(p => p.UsedMinutes > 0) + wallet.Grants.Count(g => g.UsedMinutes > 0));
    }

    private WalletStore NewStore(ITableStore tables) =>
        new(tables, new Committer(tables, _queue, TimeOrderedIds.Random(_time), _time, NullLogger<Committer>.Instance));

    private static BookingId Booking(int number) =>
        EntityId.Derive<BookingId>(string.Create(CultureInfo.InvariantCulture, $"booking {number}"), Terms.Home);

    private static DrawRequest Request(int booking, int minutes, long revision = 1) => new(Booking(booking), revision, Terms.Room, Terms.Time(minutes));

    private static DrawRequest Request(Step step, long revision)
    {
        Instant start = Terms.NewYork.At(new LocalDate(2025, 1, 5).PlusDays(step.Day), 10 * 60);
        return new DrawRequest(
            Booking(step.Booking), revision, Terms.Room, Terms.Time(5) with { Time = new Interval(start, start + Duration.FromMinutes(5 * step.Length)) });
    }

    private async Task<BookingPrice> DrawAsync(MemberTerms terms, DrawRequest request) =>
        (await _ledger.DrawAsync(terms, null, [request], DrawMode.AllOrNothing, Cancellation))[0].Value;

    private Task ReleaseAsync(params int[] bookings) => _ledger.ReleaseAsync(Terms.Ann.Id, [.. bookings.Select(Booking)], Cancellation);

    private Task<StoredWallet> ReadAsync() => _wallets.ReadAsync(Terms.Ann.Id, Cancellation);

    private async Task PutAsync(Wallet wallet, string? etag = null) =>
        Assert.True(await _wallets.TryCommitAsync(WalletStore.Put(WalletStore.Batch(Terms.Ann.Id), wallet, etag), Cancellation));

    private async Task EnablePassesAsync() => (await _tables.CommitAsync(
        SettingsStore.Save(OperatorSettings.Initial with { BookingPassesEnabled = true }, null), Cancellation)).Require();

    private IReadOnlyList<OutgoingMail> Mails() => _queue.On<OutgoingMail>(Queues.Mail, OutgoingMail.MessageSubject);

    private sealed record World(int[] Minutes, int[] Amounts, int[] Passes, bool Grants, bool Offers, bool Priced);

    private sealed record Step(int Kind, int Booking, int Length, int Day);

    /// <summary>Lets somebody else in before the first commit.</summary>
    private sealed class RacingTables(ITableStore inner, Func<Task> before) : ITableStore
    {
        private bool _raced;

        public Task<TableRow?> FindAsync(string table, string partition, string key, CancellationToken cancellation) =>
            inner.FindAsync(table, partition, key, cancellation);

        public Task<IReadOnlyList<TableRow>> ReadAsync(string table, string partition, RowRange range, int limit, CancellationToken cancellation) =>
            inner.ReadAsync(table, partition, range, limit, cancellation);

        public async Task<CommitResult> CommitAsync(TableBatch batch, CancellationToken cancellation)
        {
            if (!_raced)
            {
                _raced = true;
                await before();
            }

            return await inner.CommitAsync(batch, cancellation);
        }
    }
}
