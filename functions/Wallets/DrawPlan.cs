using Flex.Platform.Tables;
using NodaTime;

namespace Flex.Wallets;

/// <summary>What a request to draw comes to. Pure.</summary>
/// <param name="Answers">One for each request, in order.</param>
/// <param name="Wallet">As it will be.</param>
/// <param name="Draws">What is to be stored; none: nothing changes.</param>
/// <param name="RanOut">The draw that took the last minutes of passes for a resource that passes are offered for; null: none did.</param>
public sealed record DrawPlan(IReadOnlyList<Result<BookingPrice>> Answers, Wallet Wallet, IReadOnlyList<Draw> Draws, Draw? RanOut)
{
    public static DrawPlan Of(
        MemberTerms terms,
        Wallet wallet,
        IReadOnlyDictionary<BookingId, Stored<Draw>> known,
        IReadOnlyList<DrawRequest> requests,
        DrawMode mode,
        bool passesEnabled)
    {
        var answers = new List<Result<BookingPrice>>();
        var draws = new List<Draw>();
        Wallet after = wallet;
        Draw? ranOut = null;
        foreach (DrawRequest request in requests)
        {
            Draw? before = known.GetValueOrDefault(request.BookingId)?.Value;
            if (before is not null && (before.Price is null || before.Revision >= request.Revision))
            {
                answers.Add(before is { Price: { } stored } && before.Revision == request.Revision ? stored : Overtaken(before));
                continue;
            }

            Instant start = request.Rated.Time.Start;
            Wallet returned = after.Return(before?.Price?.Takings ?? []);
            Allowance allowance = returned.AllowanceFor(terms, request.ResourceId, start, passesEnabled);
            Result<BookingPrice> price = PriceResolution.Resolve(request.Rated, allowance);
            price = !price.IsError && request.Refuse?.Invoke(price.Value) is { } refusal ? refusal : price;
            answers.Add(price);
            if (!price.IsError)
            {
                var draw = new Draw(request.BookingId, request.Revision, price.Value);
                draws.Add(draw);
                after = returned.Take(price.Value.Takings, start);
                ranOut = allowance.PassesOffered && price.Value.PassMinutes > 0 && !after.PassesFor(request.ResourceId).Any() ? draw : ranOut;
            }
            else if (request.Keeps is { } kept)
            {
                draws.Add(new Draw(request.BookingId, request.Revision + 1, kept));
            }
        }

        return mode == DrawMode.AllOrNothing && answers.Any(a => a.IsError)
            ? new DrawPlan(answers, wallet, [], null)
            : new DrawPlan(answers, after, draws, ranOut);
    }

    private static Error Overtaken(Draw draw) =>
        Error.Refused(ErrorCodes.InvalidTransition, draw.Price is null ? "The booking is over." : "The booking has been changed since.") with
        {
            Extensions = new Dictionary<string, object?> { ["state"] = draw.Price is null ? "Released" : "Drawn", ["allowed"] = Array.Empty<string>() },
        };
}
