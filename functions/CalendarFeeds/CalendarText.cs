using System.Globalization;
using System.Text;
using NodaTime;
using NodaTime.Text;

namespace Flex.CalendarFeeds;

public enum EventStatus
{
    Tentative,
    Confirmed,
    Cancelled,
}

/// <summary>One occurrence in a calendar, <c>[Start, End)</c>.</summary>
/// <param name="Uid">The same in every version of the event.</param>
/// <param name="ChangedAt">When the version was made.</param>
/// <param name="Sequence">Higher in every later version.</param>
public sealed record FeedEvent(
    string Uid, Instant ChangedAt, long Sequence, Instant Start, Instant End, string Summary, string Location, EventStatus Status);

/// <summary>
/// Writes calendars as programs subscribe to them: iCalendar, RFC 5545, without a METHOD.
/// Times are UTC. Every event is a single occurrence whose instant is known, and a program shows an instant on its reader's clock, on
/// either side of a clock change; a local time would depend on a VTIMEZONE that is right for all years shown and on the program heeding
/// it. Lines end with CRLF and are folded at 75 octets between characters, so that every line is UTF-8 of its own.
/// </summary>
public static class CalendarText
{
    public const string MediaType = "text/calendar";

    private const int MaxOctets = 75;

    private static readonly InstantPattern Utc = InstantPattern.CreateWithInvariantCulture("uuuuMMdd'T'HHmmss'Z'");

    /// <param name="timeZone">IANA name of the zone that programs with a zone per calendar take.</param>
    public static string Write(string name, string timeZone, IEnumerable<FeedEvent> events)
    {
        var text = new StringBuilder();
        Line(text, "BEGIN:VCALENDAR");
        Line(text, "VERSION:2.0");
        Line(text, "PRODID:-//Flex//Calendar feeds//EN");
        Line(text, "CALSCALE:GREGORIAN");
        Line(text, "X-WR-CALNAME:" + Escape(name));
        Line(text, "X-WR-TIMEZONE:" + Escape(timeZone));
        Line(text, "REFRESH-INTERVAL;VALUE=DURATION:PT1H");
        Line(text, "X-PUBLISHED-TTL:PT1H");
        foreach (FeedEvent shown in events)
        {
            Write(text, shown);
        }

        Line(text, "END:VCALENDAR");
        return text.ToString();
    }

    private static void Write(StringBuilder text, FeedEvent shown)
    {
        Line(text, "BEGIN:VEVENT");
        Line(text, "UID:" + Escape(shown.Uid));
        Line(text, "DTSTAMP:" + Utc.Format(shown.ChangedAt));
        Line(text, string.Create(CultureInfo.InvariantCulture, $"SEQUENCE:{shown.Sequence}"));
        Line(text, "DTSTART:" + Utc.Format(shown.Start));
        Line(text, "DTEND:" + Utc.Format(shown.End));
        Line(text, "SUMMARY:" + Escape(shown.Summary));
        Line(text, "LOCATION:" + Escape(shown.Location));
        Line(text, "STATUS:" + shown.Status.ToString().ToUpperInvariant());
        Line(text, "END:VEVENT");
    }

    /// <summary>A TEXT value (§3.3.11), which has no control characters but tabs.</summary>
    private static string Escape(string value)
    {
        var text = new StringBuilder(value.Length);
        foreach (char c in value.ReplaceLineEndings("\n"))
        {
            _ = c switch
            {
                '\n' => text.Append("\\n"),
                '\\' or ';' or ',' => text.Append('\\').Append(c),
                _ when char.IsControl(c) && c != '\t' => text,
                _ => text.Append(c),
            };
        }

        return text.ToString();
    }

    /// <summary>A content line (§3.1); the blank that a folded line goes on with counts as one of its octets.</summary>
    private static void Line(StringBuilder text, string line)
    {
        int octets = 0;
        foreach (Rune character in line.EnumerateRunes())
        {
            if (octets + character.Utf8SequenceLength > MaxOctets)
            {
                text.Append("\r\n ");
                octets = 1;
            }

            text.Append(character.ToString());
            octets += character.Utf8SequenceLength;
        }

        text.Append("\r\n");
    }
}
