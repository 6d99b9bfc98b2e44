namespace Flex.Local.Runtime.Durable;

/// <summary>
/// A replay did not do what the history says: the orchestrator's code is not deterministic, or was changed while the instance
/// ran. Fails the instance. Stands for DurableTask.Core.Exceptions.NonDeterministicOrchestrationException.
/// </summary>
public sealed class NonDeterministicOrchestrationException(string message) : Exception(message);

/// <summary>The status codes the real client's calls fail with.</summary>
public enum InstanceFaultCode
{
    Unknown,
    NotFound,
    FailedPrecondition,
}

/// <summary>
/// A call about an instance that is unknown or has ended. Stands for Grpc.Core.RpcException with the same status code, whose
/// package the local runtime does not have; shared code must not depend on either type.
/// </summary>
public sealed class InstanceFaultException(InstanceFaultCode code, string message) : Exception($"{code}: {message}")
{
    public InstanceFaultCode Code { get; } = code;
}
