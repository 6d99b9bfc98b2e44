namespace Flex.Local.Restore;

/// <summary>An export cannot be restored here; the message is one line that says why, and what to do if something can be done.</summary>
public sealed class RestoreRefusedException(string message) : Exception(message);
