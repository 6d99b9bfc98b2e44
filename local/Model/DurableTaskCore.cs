namespace DurableTask.Core.Exceptions;

public class OrchestrationAlreadyExistsException : Exception
{
    public OrchestrationAlreadyExistsException(string message)
        : base(message)
    {
    }
}
