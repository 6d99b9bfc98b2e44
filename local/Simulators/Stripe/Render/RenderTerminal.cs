using System.Text.Json.Nodes;

namespace Flex.Local.Simulators.Stripe;

internal sealed partial class StripeRenderer
{
    private static JsonObject Location(LocationRow row) => new()
    {
        ["id"] = row.Id,
        ["object"] = "terminal.location",
        ["address"] = StripeJson.Address(row.Address),
        ["display_name"] = row.DisplayName,
        ["livemode"] = false,
        ["metadata"] = StripeJson.Of(row.Metadata),
        ["phone"] = row.Phone,
    };

    private JsonObject Reader(ReaderRow row) => new()
    {
        ["id"] = row.Id,
        ["object"] = "terminal.reader",
        ["action"] = row.Action is { } action ? Action(action) : null,
        ["device_sw_version"] = "2.42.0.0",
        ["device_type"] = row.DeviceType,
        ["ip_address"] = "0.0.0.0",
        ["label"] = row.Label,
        ["last_seen_at"] = row.LastSeen.ToUnixTimeMilliseconds(),
        ["livemode"] = false,
        ["location"] = row.Location,
        ["metadata"] = StripeJson.Of(row.Metadata),
        ["serial_number"] = row.SerialNumber,
        ["status"] = row.Status,
    };

    private JsonObject Action(ReaderActionRow row)
    {
        JsonObject? error = Error(row.Failure);
        return new JsonObject
        {
            ["api_error"] = error,
            ["failure_code"] = row.Failure is null ? null : row.Failure.DeclineCode ?? row.Failure.Code,
            ["failure_message"] = row.Failure?.Message,
            ["status"] = row.Status,
            ["type"] = row.Type,
            [row.Type] = Copy(row.Detail),
        };
    }
}
