using Flex.Settings;
using FluentValidation;

namespace Flex.Catalogue;

/// <summary>Booking terms as a request may give them; what shapes a slot is on the grid of the bookings.</summary>
public sealed class BookingTermsValidator : AbstractValidator<BookingTerms>
{
    private const int GridMinutes = 5;
    private const int MaxBufferMinutes = 1440;
    private const int MaxBookingMinutes = 31 * 1440;
    private const int MaxNoticeMinutes = 365 * 1440;
    private const int MaxAheadDays = 731;
    private const int MaxGraceMinutes = 60;
    private const int MaxAllowed = 100;

    public BookingTermsValidator()
    {
        RuleFor(t => t.OpeningHours!).SetValidator(new OpeningHoursValidator()).When(t => t.OpeningHours is not null);
        RuleFor(t => t.BufferBeforeMinutes).InclusiveBetween(0, MaxBufferMinutes).Must(IsOnGrid).WithMessage(OnGrid(0, MaxBufferMinutes));
        RuleFor(t => t.BufferAfterMinutes).InclusiveBetween(0, MaxBufferMinutes).Must(IsOnGrid).WithMessage(OnGrid(0, MaxBufferMinutes));
        RuleFor(t => t.MinMinutes).Must(IsLength).WithMessage(OnGrid(GridMinutes, MaxBookingMinutes));
        RuleFor(t => t.MaxMinutes).Must(IsLength).WithMessage(OnGrid(GridMinutes, MaxBookingMinutes));
        RuleFor(t => t.MaxMinutes).Must((t, max) => !(max < t.MinMinutes)).WithMessage("The longest booking is not shorter than the shortest.");
        RuleFor(t => t.LeadMinutes).InclusiveBetween(0, MaxNoticeMinutes);
        RuleFor(t => t.MaxAheadDays).InclusiveBetween(1, MaxAheadDays);
        RuleFor(t => t.CancellationNoticeMinutes).InclusiveBetween(0, MaxNoticeMinutes);
        RuleFor(t => t.ApprovalDeadlineMinutes).InclusiveBetween(0, MaxNoticeMinutes);
        RuleFor(t => t.CheckInGraceMinutes).InclusiveBetween(0, MaxGraceMinutes);
        RuleFor(t => t.AllowedPlanIds).Must(p => p.Count <= MaxAllowed && p.Distinct().Count() == p.Count)
            .WithMessage($"At most {MaxAllowed} plans, each once.");
        RuleFor(t => t.AllowedMemberIds).Must(m => m.Count <= MaxAllowed && m.Distinct().Count() == m.Count)
            .WithMessage($"At most {MaxAllowed} members, each once.");
    }

    private static bool IsOnGrid(int minutes) => minutes % GridMinutes == 0;

    private static bool IsLength(int? minutes) => minutes is null or (>= GridMinutes and <= MaxBookingMinutes) && IsOnGrid(minutes ?? 0);

    private static string OnGrid(int min, int max) => $"Must be {min} to {max} minutes, a multiple of {GridMinutes}.";
}
