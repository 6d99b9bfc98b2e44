namespace Flex.Functions.Tests.Simulation;

/// <summary>A world in which something happened that must never happen.</summary>
public sealed class SimulationFailureException : Exception
{
    public SimulationFailureException()
    {
    }

    public SimulationFailureException(string message)
        : base(message)
    {
    }

    public SimulationFailureException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
