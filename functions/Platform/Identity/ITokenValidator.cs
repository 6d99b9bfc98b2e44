namespace Flex.Platform.Identity;

/// <summary>Turns a bearer token into a caller.</summary>
public interface ITokenValidator
{
    /// <summary>The caller, or 401 <c>unauthenticated</c>. <see cref="TransientFaultException"/> when the issuer's keys cannot be had.</summary>
    Task<Result<Caller>> ValidateAsync(string? token, CancellationToken cancellation);
}
