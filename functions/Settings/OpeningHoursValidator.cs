using FluentValidation;
using NodaTime;

namespace Flex.Settings;

/// <summary>Opening hours as a request may give them; none at all is always closed.</summary>
public sealed class OpeningHoursValidator : AbstractValidator<OpeningHours>
{
    /// <summary>Four for every day.</summary>
    private const int MaxTimes = 28;

    private const long GridTicks = 5 * NodaConstants.TicksPerMinute;

    public OpeningHoursValidator()
    {
        RuleFor(h => h.Times).Must(t => t.Count <= MaxTimes).WithMessage($"At most {MaxTimes} times a week.");
        RuleFor(h => h.Times).Must(AreApart).WithMessage("The times of a day do not overlap.");
        RuleForEach(h => h.Times).ChildRules(time =>
        {
            time.RuleFor(t => t.Day).NotEqual(IsoDayOfWeek.None).WithMessage("Must be a day of the week.");
            time.RuleFor(t => t.From).Must(f => f.TickOfDay % GridTicks == 0).WithMessage("Must be whole five minutes.");
            time.RuleFor(t => t.Until).Must(u => u.TickOfDay % GridTicks == 0).WithMessage("Must be whole five minutes.");
            time.RuleFor(t => t.Until).Must((t, _) => t.From.TickOfDay < t.UntilTick).WithMessage("Must be after the opening; 00:00 is the end of the day.");
        });
    }

    private static bool AreApart(IReadOnlyList<OpeningTime> times)
    {
        OpeningTime[] ordered = [.. times.OrderBy(t => t.Day).ThenBy(t => t.From)];
        return ordered.Zip(ordered.Skip(1)).All(pair => pair.First.Day != pair.Second.Day || pair.First.UntilTick <= pair.Second.From.TickOfDay);
    }
}
