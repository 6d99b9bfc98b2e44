using System.Net;
using System.Text.Json.Nodes;

namespace Flex.Functions.Tests.Simulation;

/// <summary>What the people of a world send, each request under a key of its own, and what they were answered.</summary>
internal sealed class Correspondence(SimulatedOperator house, Dice dice)
{
    private readonly List<(string Who, string Path, JsonObject Body, string Key, HttpStatusCode Status, string? Id)> _answered = [];
    private int _keys;

    public Task<JsonObject?> PostAsync(string who, string collection, JsonObject? body, long? version = null) =>
        SendAsync(who, HttpMethod.Post, collection, body, version);

    /// <summary>The answer to a success; null when it was refused or the client gave up.</summary>
    public async Task<JsonObject?> SendAsync(string who, HttpMethod method, string collection, JsonObject? body, long? version = null)
    {
        string key = $"key-{++_keys}";
        string path = "/api/v1/" + collection;
        (HttpStatusCode Status, JsonObject Answer)? outcome = await house.SendAsync(who, method, path, body, key, version);
        string answer = outcome is { } given ? $"{given.Status} {given.Answer["code"] ?? given.Answer["id"]}" : "gave up";
        house.Log.Add($"{house.World.Now} {who} {method} {path} {body?.ToJsonString()} [{key}] -> {answer}");
        if (outcome is not { } answered)
        {
            return null;
        }

        if ((int)answered.Status is 400 or 401 or 403 or 404 or 405 or 415)
        {
            throw new SimulationFailureException($"{method} {path} answered {answered.Status}: {answered.Answer.ToJsonString()}");
        }

        if ((int)answered.Status is not (>= 200 and < 300))
        {
            return null;
        }

        bool isFinal = (string?)(answered.Answer["status"] ?? answered.Answer["state"]) != "pending" && !(answered.Status == HttpStatusCode.Accepted && answered.Answer.ContainsKey("series"));
        if (method == HttpMethod.Post && body is not null && version is null && isFinal)
        {
            _answered.Add((who, path, body, key, answered.Status, (string?)answered.Answer["id"]));
        }

        return answered.Answer;
    }

    /// <summary>
    /// Somebody sends an earlier request once more, under the same key: it is answered as before and nothing happens. A sign-up or
    /// a purchase whose payment was pending, and a series that was still being made, are left out: their answer is what has become of them.
    /// </summary>
    public async Task RepeatAsync()
    {
        if (_answered.Count == 0)
        {
            return;
        }

        var (who, path, body, key, status, id) = dice.Of(_answered);
        house.Log.Add($"{house.World.Now} {who} POST {path} again [{key}]");
        if (await house.SendAsync(who, HttpMethod.Post, path, body, key) is { } again && ((string?)again.Answer["id"] != id || again.Status != status))
        {
            throw new SimulationFailureException(
                $"POST {path} under {key} first answered {status} {id} and then {again.Status} {again.Answer.ToJsonString()}.");
        }
    }
}
