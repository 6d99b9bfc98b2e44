namespace Flex.Platform.Http;

/// <summary>Whether a header may or must be sent.</summary>
public enum Need
{
    None,
    Optional,
    Required,
}

/// <summary>
/// Describes an HTTP function: the API description is generated from it, and the request reader enforces its
/// <see cref="IdempotencyKey"/> and <see cref="IfMatch"/>, so description and behaviour cannot part.
/// </summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class OperationAttribute(string summary) : Attribute
{
    /// <summary>One line, an imperative: "Book a resource".</summary>
    public string Summary { get; } = summary;

    /// <summary>Type of the JSON body; null when there is none.</summary>
    public Type? Body { get; set; }

    /// <summary>Media types of a body that is a file and no JSON.</summary>
    public string[] BodyTypes { get; set; } = [];

    /// <summary>Media types of a successful answer that is a file and no JSON.</summary>
    public string[] ResponseTypes { get; set; } = [];

    /// <summary>Type of the successful answer's body; null when there is none. For lists the page: <c>typeof(PageOf&lt;BookingView&gt;)</c>.</summary>
    public Type? Response { get; set; }

    /// <summary>Status of the successful answer.</summary>
    public int Status { get; set; } = 200;

    /// <summary>Long work is answered with 202 and the Location of an operation to watch.</summary>
    public bool MayTakeLong { get; set; }

    /// <summary>Type whose members are the query parameters; lists have <c>limit</c> and <c>cursor</c> besides.</summary>
    public Type? Query { get; set; }

    /// <summary>Codes of <see cref="ErrorCodes"/> this operation can answer beside those every operation can.</summary>
    public string[] Errors { get; set; } = [];

    /// <summary>Required where money moves, optional on other POSTs that remember keys.</summary>
    public Need IdempotencyKey { get; set; }

    public Need IfMatch { get; set; }
}
