namespace Flex.Local.Runtime.Testing;

/// <summary>The simulated process has died: nothing may catch this and go on.</summary>
public sealed class SimulatedCrashException : Exception
{
    public SimulatedCrashException()
    {
    }

    public SimulatedCrashException(string message)
        : base(message)
    {
    }

    public SimulatedCrashException(string message, Exception? innerException)
        : base(message, innerException)
    {
    }
}
