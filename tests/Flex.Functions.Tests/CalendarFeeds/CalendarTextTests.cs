using System.Text;
using CsCheck;
using Flex.CalendarFeeds;
using Flex.Kernel;
using NodaTime;
using NodaTime.TimeZones;
using Xunit;
using Calendar = Ical.Net.Calendar;
using IcalEvent = Ical.Net.CalendarComponents.CalendarEvent;

namespace Flex.Functions.Tests.CalendarFeeds;

/// <summary>What we write is read again by Ical.Net, which has no line of code in common with the writer.</summary>
public sealed class CalendarTextTests
{
    private static readonly Instant Start = Instant.FromUtc(2025, 1, 10, 15, 0);

    private const string Special = "\\;,:\"'nN =^\tß漢";

    /// <summary>What a name may hold: any character but control characters; much of what has a meaning in the format.</summary>
    private static readonly Gen<string> Names = Gen.OneOf(
            Gen.Int[0, Special.Length - 1].Select(i => Special[i].ToString()),
            Gen.OneOf(Gen.Int[0x20, 0x7E], Gen.Int[0xA0, 0xD7FF], Gen.Int[0xE000, 0xFFFD], Gen.Int[0x10000, 0x10FFFF]).Select(char.ConvertFromUtf32))
        .Array[0, 200].Select(string.Concat)
        .Where(text => text == text.ReplaceLineEndings("\n"));

    [Fact]
    public void A_calendar_is_this_text()
    {
        string text = CalendarText.Write(
            "Main, 2nd floor",
            "America/New_York",
            [
                new("bkg_1@flex", Instant.FromUtc(2025, 1, 1, 0, 0, 7), 1, Start, Start + Duration.FromMinutes(90), "Blue; \"big\" room",
                    "Rue de l’Église 5\nMontréal, back\\yard 🏢 behind the second gate", EventStatus.Confirmed),
                new("bkg_2@flex", Instant.FromUtc(2025, 1, 2, 0, 0), 12, Start, Start + Duration.FromDays(2), "Desk", "Main", EventStatus.Cancelled),
                new("bkg_3@flex", Instant.FromUtc(2025, 1, 3, 0, 0), 2, Start, Start + Duration.FromMinutes(5), "Desk", "Main", EventStatus.Tentative),
            ]);

        Assert.Equal(
            """
            BEGIN:VCALENDAR
            VERSION:2.0
            PRODID:-//Flex//Calendar feeds//EN
            CALSCALE:GREGORIAN
            X-WR-CALNAME:Main\, 2nd floor
            X-WR-TIMEZONE:America/New_York
            REFRESH-INTERVAL;VALUE=DURATION:PT1H
            X-PUBLISHED-TTL:PT1H
            BEGIN:VEVENT
            UID:bkg_1@flex
            DTSTAMP:20250101T000007Z
            SEQUENCE:1
            DTSTART:20250110T150000Z
            DTEND:20250110T163000Z
            SUMMARY:Blue\; "big" room
            LOCATION:Rue de l’Église 5\nMontréal\, back\\yard 🏢 behind the secon
             d gate
            STATUS:CONFIRMED
            END:VEVENT
            BEGIN:VEVENT
            UID:bkg_2@flex
            DTSTAMP:20250102T000000Z
            SEQUENCE:12
            DTSTART:20250110T150000Z
            DTEND:20250112T150000Z
            SUMMARY:Desk
            LOCATION:Main
            STATUS:CANCELLED
            END:VEVENT
            BEGIN:VEVENT
            UID:bkg_3@flex
            DTSTAMP:20250103T000000Z
            SEQUENCE:2
            DTSTART:20250110T150000Z
            DTEND:20250110T150500Z
            SUMMARY:Desk
            LOCATION:Main
            STATUS:TENTATIVE
            END:VEVENT
            END:VCALENDAR

            """.ReplaceLineEndings("\r\n"),
            text);
    }

    [Fact]
    public void Any_text_survives_escaping_and_folding() => Names.Select(Names, Names).Sample((name, summary, location) =>
    {
        string text = CalendarText.Write(
            name, "Europe/Berlin", [new("bkg_1@flex", Start, 1, Start, Start + Duration.FromHours(1), summary, location, EventStatus.Confirmed)]);

        AssertLines(text);
        Calendar calendar = Calendar.Load(text)!;
        IcalEvent read = Assert.Single(calendar.Events);
        Assert.Equal(name, calendar.Properties["X-WR-CALNAME"]!.Value as string ?? string.Empty);
        Assert.Equal((summary, location), (read.Summary ?? string.Empty, read.Location ?? string.Empty));
    });

    [Fact]
    public void Line_ends_become_the_formats_own_and_other_control_characters_go()
    {
        IcalEvent read = Read("a\r\nb\rc\nd\u0000\u0007\u007F\u0085e\tf\u2028g\u2029h");

        Assert.Equal("a\nb\nc\nd\ne\tf\ng\nh", read.Summary);
    }

    [Fact]
    public void Half_a_character_does_not_break_the_file()
    {
        IcalEvent read = Read("a\uD83Db\uDE00");

        Assert.Equal("a\uFFFDb\uFFFD", read.Summary);
    }

    /// <summary>
    /// Events around every clock change of ten years, gaps and repeated hours, half-hour changes and those of Ramadan: the instants
    /// are ours, and so is the time that a program shows.
    /// </summary>
    [Theory]
    [InlineData("America/New_York", 20)]
    [InlineData("Europe/Berlin", 20)]
    [InlineData("Australia/Lord_Howe", 20)]
    [InlineData("Africa/Casablanca", 18)]
    [InlineData("America/Sao_Paulo", 3)]
    [InlineData("Asia/Kathmandu", 0)]
    public void Events_are_at_the_right_time_on_either_side_of_every_clock_change(string timeZone, int changes)
    {
        var calendar = new SiteCalendar(timeZone);
        Instant[] clockChanges = [.. calendar.Zone
            .GetZoneIntervals(new Interval(Instant.FromUtc(2018, 1, 1, 0, 0), Instant.FromUtc(2028, 1, 1, 0, 0)), ZoneEqualityComparer.Options.OnlyMatchWallOffset)
            .Skip(1).Select(i => i.Start)];
        Interval[] times = [.. clockChanges.Append(Start).SelectMany(change => Enumerable.Range(-6, 12)
            .Select(half => change + Duration.FromMinutes(30 * half))
            .Select(start => new Interval(start, start + Duration.FromMinutes(90))))];

        string text = CalendarText.Write(
            "x", timeZone, times.Select((t, i) => new FeedEvent($"{i}@flex", Start, 1, t.Start, t.End, "x", "x", EventStatus.Confirmed)));
        IcalEvent[] read = [.. Calendar.Load(text)!.Events];

        Assert.InRange(clockChanges.Length, changes, 2 * 10);
        Assert.Equal(times, read.Select(e => new Interval(At(e.DtStart!), At(e.DtEnd!))));
        Assert.Equal(
            times.Select(t => (calendar.LocalOf(t.Start), calendar.LocalOf(t.End))),
            read.Select(e => (ShownIn(timeZone, e.DtStart!), ShownIn(timeZone, e.DtEnd!))));
    }

    private static IcalEvent Read(string summary) => Assert.Single(Calendar.Load(
        CalendarText.Write("x", "Europe/Berlin", [new("1@flex", Start, 1, Start, Start + Duration.FromHours(1), summary, "x", EventStatus.Confirmed)]))!.Events);

    private static Instant At(Ical.Net.DataTypes.CalDateTime time) => Instant.FromDateTimeUtc(time.AsUtc);

    private static LocalDateTime ShownIn(string timeZone, Ical.Net.DataTypes.CalDateTime time) => LocalDateTime.FromDateTime(time.ToTimeZone(timeZone).Value);

    /// <summary>Every line ends with CRLF, has at most 75 octets and is UTF-8 of its own.</summary>
    private static void AssertLines(string text)
    {
        Assert.EndsWith("\r\n", text, StringComparison.Ordinal);
        foreach (string line in text[..^2].Split("\r\n"))
        {
            Assert.InRange(Encoding.UTF8.GetByteCount(line), 1, 75);
            Assert.Equal(line, Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(line)));
            Assert.False(line.Contains('\n') || line.Contains('\r'));
        }
    }
}
