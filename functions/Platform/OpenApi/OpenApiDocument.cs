using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using System.Text.RegularExpressions;
using Flex.Platform.Http;
using Flex.Platform.Identity;
using Flex.Platform.Limits;

namespace Flex.Platform.OpenApi;

/// <summary>
/// The OpenAPI 3.1 description of every HTTP function, made once from their attributes and types. <see cref="Json"/> is the
/// document, <see cref="ETag"/> changes when it does.
/// </summary>
public sealed partial class OpenApiDocument
{
    private const string Bearer = "bearer";
    private static readonly string[] Always = [ErrorCodes.MalformedRequest, ErrorCodes.UnknownParameter, ErrorCodes.Internal, ErrorCodes.Unavailable];
    private readonly SchemaBuilder _schemas = new();

    public OpenApiDocument(FunctionCatalog catalog)
    {
        Root = Build(catalog);
        Json = Root.ToJsonString();
        ETag = $"\"{RequestKey.Hash(Encoding.UTF8.GetBytes(Json))[..32]}\"";
    }

    public JsonObject Root { get; }

    public string Json { get; }

    public string ETag { get; }

    /// <summary>The path an entry is found at, e.g. <c>/api/v1/bookings/{id}</c>.</summary>
    public static string PathOf(FunctionEntry entry) => $"/{FunctionCatalog.RoutePrefix}/{RouteConstraint().Replace(entry.Route, "{$1}")}";

    private JsonObject Build(FunctionCatalog catalog)
    {
        _schemas.IsClosed = true;
        foreach (Type body in catalog.Entries.Select(e => e.Operation?.Body).OfType<Type>())
        {
            _schemas.SchemaOf(body);
        }

        _schemas.IsClosed = false;
        var paths = new JsonObject();
        foreach (FunctionEntry entry in catalog.Entries.Where(e => !FunctionCatalog.IsCatchAll(e)).OrderBy(PathOf, StringComparer.Ordinal))
        {
            string path = PathOf(entry);
            paths[path] ??= new JsonObject();
            foreach (string method in entry.Methods)
            {
                paths[path]![method.ToLowerInvariant()] = Describe(entry);
            }
        }

        _schemas.SchemaOf(typeof(ProblemShape));
        return new JsonObject
        {
            ["openapi"] = "3.1.0",
            ["info"] = new JsonObject
            {
                ["title"] = "Flex",
                ["version"] = "1",
                ["description"] = "Bookings, memberships, invoicing, renewals, payments and access of one coworking operator. "
                    + "Fields and values may be added; unknown request members and query parameters are refused.",
            },
            ["servers"] = new JsonArray(new JsonObject { ["url"] = "/" }),
            ["security"] = new JsonArray(new JsonObject { [Bearer] = new JsonArray() }),
            ["paths"] = paths,
            ["components"] = new JsonObject
            {
                ["schemas"] = _schemas.Components,
                ["securitySchemes"] = new JsonObject
                {
                    [Bearer] = new JsonObject { ["type"] = "http", ["scheme"] = "bearer", ["bearerFormat"] = "JWT" },
                },
            },
            ["x-error-codes"] = new JsonObject(ErrorCodes.All.Select(c => KeyValuePair.Create(c.Key, (JsonNode?)c.Value))),
        };
    }

    private JsonObject Describe(FunctionEntry entry)
    {
        OperationAttribute operation = entry.Operation ?? new OperationAttribute(entry.Name);
        bool isList = IsList(operation);
        var described = new JsonObject
        {
            ["operationId"] = entry.Name,
            ["summary"] = operation.Summary,
            ["tags"] = new JsonArray(entry.Name.Split('_')[0]),
            ["parameters"] = new JsonArray([.. Parameters(entry, operation, isList)]),
            ["responses"] = Responses(entry, operation),
            ["x-error-codes"] = new JsonArray([.. Codes(entry, operation, isList).Select(c => (JsonNode)c)]),
        };
        if (operation.Body is { } body)
        {
            JsonNode schema = _schemas.SchemaOf(body);
            described["requestBody"] = new JsonObject
            {
                ["required"] = true,
                ["content"] = Content("application/json", schema),
            };
        }

        if (operation.BodyTypes.Length > 0)
        {
            described["requestBody"] = new JsonObject { ["required"] = true, ["content"] = Files(operation.BodyTypes) };
        }

        if (entry.AllowAnyone is not null)
        {
            described["security"] = new JsonArray();
        }

        if (entry.Allow is { } allow)
        {
            described["x-roles"] = new JsonArray([.. allow.Roles
                .Concat(allow.Roles.Contains(Role.Staff) ? [Role.Owner] : [])
                .Distinct().Order()
                .Select(r => (JsonNode)r.ToString().ToLowerInvariant())]);
        }

        return described;
    }

    private IEnumerable<JsonNode> Parameters(FunctionEntry entry, OperationAttribute operation, bool isList)
    {
        foreach (Match match in RouteConstraint().Matches(entry.Route))
        {
            yield return Parameter("path", match.Groups[1].Value, required: true, new JsonObject { ["type"] = "string" });
        }

        foreach (JsonPropertyInfo member in operation.Query is { } query ? HttpJson.Options.GetTypeInfo(query).Properties : [])
        {
            yield return Parameter("query", member.Name, member.AssociatedParameter is { HasDefaultValue: false }, _schemas.SchemaOf(member.PropertyType));
        }

        if (isList)
        {
            yield return Parameter("query", RequestQuery.LimitParameter, required: false, new JsonObject
            {
                ["type"] = "integer",
                ["minimum"] = 1,
                ["maximum"] = Paging.MaxLimit,
                ["default"] = Paging.DefaultLimit,
            });
            yield return Parameter("query", RequestQuery.CursorParameter, required: false, new JsonObject { ["type"] = "string" });
        }

        if (operation.IdempotencyKey != Need.None)
        {
            yield return Parameter("header", RequestHeaders.IdempotencyKey, operation.IdempotencyKey == Need.Required, new JsonObject
            {
                ["type"] = "string",
                ["minLength"] = 1,
                ["maxLength"] = RequestKey.MaxLength,
            });
        }

        if (operation.IfMatch != Need.None)
        {
            var etag = new JsonObject { ["type"] = "string", ["examples"] = new JsonArray("\"7\"") };
            yield return Parameter("header", "If-Match", operation.IfMatch == Need.Required, etag);
        }
    }

    private JsonObject Responses(FunctionEntry entry, OperationAttribute operation)
    {
        var success = new JsonObject { ["description"] = operation.Summary };
        if (operation.Response is { } type && type != typeof(Unit))
        {
            success["content"] = Content("application/json", _schemas.SchemaOf(type));
        }

        if (operation.ResponseTypes.Length > 0)
        {
            success["content"] = Files(operation.ResponseTypes);
        }

        var responses = new JsonObject { [operation.Status.ToString(CultureInfo.InvariantCulture)] = success };
        if (operation.MayTakeLong)
        {
            JsonNode accepted = success.DeepClone();
            accepted["description"] = "Begun; Location is the operation to watch.";
            responses["202"] = accepted;
        }

        if (entry.RatePolicy != RatePolicy.Unlimited)
        {
            JsonObject limited = Refused(ErrorCodes.All[ErrorCodes.RateLimited]);
            limited["headers"] = new JsonObject
            {
                ["Retry-After"] = new JsonObject
                {
                    ["description"] = "Seconds after which a call can succeed.",
                    ["schema"] = new JsonObject { ["type"] = "integer", ["minimum"] = 1 },
                },
            };
            responses["429"] = limited;
        }

        responses["default"] = Refused("Not done; code says why, and x-error-codes of the operation lists the codes.");
        return responses;
    }

    private JsonObject Refused(string description) => new()
    {
        ["description"] = description,
        ["content"] = new JsonObject
        {
            [Problem.ContentType] = new JsonObject { ["schema"] = _schemas.SchemaOf(typeof(ProblemShape)) },
        },
    };

    /// <summary>Bytes as they are; OpenAPI 3.1 gives them no schema.</summary>
    private static JsonObject Files(string[] mediaTypes) => new(mediaTypes.Select(t => KeyValuePair.Create(t, (JsonNode?)new JsonObject())));

    private JsonObject Content(string mediaType, JsonNode schema) => new()
    {
        [mediaType] = new JsonObject { ["schema"] = schema, ["example"] = _schemas.ExampleOf(schema) },
    };

    /// <summary>Every code the operation can answer: its own, and those that follow from what it takes.</summary>
    internal static IEnumerable<string> CodesOf(FunctionEntry entry) =>
        entry.Operation is { } operation ? Codes(entry, operation, IsList(operation)) : [];

    private static bool IsList(OperationAttribute operation) =>
        operation.Response is { IsGenericType: true } response && response.GetGenericTypeDefinition() == typeof(PageOf<>);

    private static IEnumerable<string> Codes(FunctionEntry entry, OperationAttribute operation, bool isList)
    {
        IEnumerable<string> codes = Always.Concat(operation.Errors);
        codes = entry.AllowAnyone is null ? [.. codes, ErrorCodes.Unauthenticated, ErrorCodes.Forbidden] : codes;
        codes = entry.RatePolicy != RatePolicy.Unlimited ? [.. codes, ErrorCodes.RateLimited] : codes;
        codes = entry.Route.Contains('{', StringComparison.Ordinal) ? [.. codes, ErrorCodes.NotFound] : codes;
        codes = operation.Body is not null ? [.. codes, ErrorCodes.BodyTooLarge, ErrorCodes.UnsupportedMediaType, ErrorCodes.InvalidValue] : codes;
        codes = operation.BodyTypes.Length > 0 ? [.. codes, ErrorCodes.BodyTooLarge, ErrorCodes.UnsupportedMediaType] : codes;
        codes = isList ? [.. codes, ErrorCodes.InvalidCursor, ErrorCodes.InvalidValue] : codes;
        codes = operation.IdempotencyKey != Need.None ? [.. codes, ErrorCodes.IdempotencyKeyReuse] : codes;
        codes = operation.IdempotencyKey == Need.Required ? [.. codes, ErrorCodes.IdempotencyKeyRequired] : codes;
        codes = operation.IfMatch != Need.None ? [.. codes, ErrorCodes.Stale] : codes;
        codes = operation.IfMatch == Need.Required ? [.. codes, ErrorCodes.IfMatchRequired] : codes;
        return codes.Distinct().Order(StringComparer.Ordinal);
    }

    private static JsonObject Parameter(string place, string name, bool required, JsonNode schema) => new()
    {
        ["name"] = name,
        ["in"] = place,
        ["required"] = required,
        ["schema"] = schema,
    };

    [GeneratedRegex(@"\{([A-Za-z]+)[^}]*\}")]
    private static partial Regex RouteConstraint();
}

/// <summary>The members every problem document has; some have more.</summary>
internal sealed record ProblemShape(string Type, string Title, int Status, string Code, string Detail, IReadOnlyList<FieldError> Errors, string RequestId);
