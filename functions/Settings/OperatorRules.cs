namespace Flex.Settings;

/// <summary>What may become of the operator's settings. Pure.</summary>
public static class OperatorRules
{
    /// <summary>
    /// The settings after an edit. INV-2: the automatic bill run cannot be switched on before the account is Active.
    /// </summary>
    public static Result<OperatorSettings> Edit(OperatorSettings current, OperatorSettings edited)
    {
        if (edited.AutomaticBillRun && current.AccountStatus != AccountStatus.Active)
        {
            return Error.Refused(
                ErrorCodes.AccountNotActive,
                $"The automatic bill run needs an Active account; this one is {current.AccountStatus}.");
        }

        return edited with { AccountStatus = current.AccountStatus, Version = current.Version + 1 };
    }

    /// <summary>Onboarding → Active, Suspended → Active.</summary>
    public static Result<OperatorSettings> Activate(OperatorSettings current) => current.AccountStatus == AccountStatus.Active
        ? Illegal(current, "activate")
        : current with { AccountStatus = AccountStatus.Active, Version = current.Version + 1 };

    /// <summary>Active → Suspended. The automatic bill run is switched off with it and stays off until staff switch it on again.</summary>
    public static Result<OperatorSettings> Suspend(OperatorSettings current) => current.AccountStatus != AccountStatus.Active
        ? Illegal(current, "suspend")
        : current with { AccountStatus = AccountStatus.Suspended, AutomaticBillRun = false, Version = current.Version + 1 };

    private static Error Illegal(OperatorSettings current, string command) =>
        Error.Refused(ErrorCodes.InvalidTransition, $"Cannot {command} an account that is {current.AccountStatus}.") with
        {
            Extensions = new Dictionary<string, object?>
            {
                ["state"] = current.AccountStatus.ToString(),
                ["allowed"] = current.AccountStatus == AccountStatus.Active ? new[] { "suspend" } : ["activate"],
            },
        };
}
