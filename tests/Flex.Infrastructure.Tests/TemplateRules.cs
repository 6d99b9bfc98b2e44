using System.Globalization;
using System.Reflection;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using System.Xml;
using Flex.Platform.Messaging;
using Flex.Tests.Shared;
using NodaTime;

namespace Flex.Infrastructure.Tests;

/// <summary>
/// What must hold of the infrastructure. Each rule answers with what breaks it, one line each; nothing when all is well. Rules of the
/// template hold whatever the parameters are, so they accept no expression where a value matters; rules of a deployment look at what
/// one parameter file results in.
/// </summary>
internal static partial class TemplateRules
{
    private const string Storage = "Microsoft.Storage/storageAccounts";
    private const string Container = "Microsoft.Storage/storageAccounts/blobServices/containers";
    private const string Bus = "Microsoft.ServiceBus/namespaces";
    private const string Queue = "Microsoft.ServiceBus/namespaces/queues";
    private const string Vault = "Microsoft.KeyVault/vaults";
    private const string Site = "Microsoft.Web/sites";
    private const string RoleAssignment = "Microsoft.Authorization/roleAssignments";

    /// <summary>Properties that every resource of a type has with one of these values, written out.</summary>
    private static readonly (string Type, string Property, string[] Values)[] Literals =
    [
        (Storage, "properties.allowSharedKeyAccess", ["false"]),
        (Storage, "properties.allowBlobPublicAccess", ["false"]),
        (Storage, "properties.supportsHttpsTrafficOnly", ["true"]),
        (Storage, "properties.minimumTlsVersion", ["TLS1_2", "TLS1_3"]),
        (Container, "properties.publicAccess", ["None"]),
        (Bus, "properties.disableLocalAuth", ["true"]),
        (Bus, "properties.minimumTlsVersion", ["1.2", "1.3"]),
        (Vault, "properties.enableRbacAuthorization", ["true"]),
        (Vault, "properties.enableSoftDelete", ["true"]),
        (Vault, "properties.enablePurgeProtection", ["true"]),
        ("Microsoft.Insights/components", "properties.DisableLocalAuth", ["true"]),
        ("Microsoft.OperationalInsights/workspaces", "properties.features.disableLocalAuth", ["true"]),
        (Site, "properties.httpsOnly", ["true"]),
        (Site, "properties.siteConfig.minTlsVersion", ["1.2", "1.3"]),
        (Site, "properties.siteConfig.scmMinTlsVersion", ["1.2", "1.3"]),
        (Site, "properties.siteConfig.ftpsState", ["Disabled"]),
        (Site, "properties.siteConfig.healthCheckPath", ["/api/v1/health"]),
        ("Microsoft.Web/sites/basicPublishingCredentialsPolicies", "properties.allow", ["false"]),
    ];

    private static readonly string[] Tls12OrLater = ["TLS1_2", "TLS1_3", "1.2", "1.3"];

    /// <summary>Settings the code reads that are never set in Azure.</summary>
    private static readonly Dictionary<string, string> OnOneMachineOnly = new(StringComparer.Ordinal)
    {
        ["Tables__ConnectionString"] = "the emulator's key; in Azure the identity",
        ["Blobs__ConnectionString"] = "the emulator's key; in Azure the identity",
        ["Stripe__ApiBase"] = "the simulator's address; elsewhere the key would be sent to it",
    };

    /// <summary>Settings that the host and the platform read.</summary>
    private static readonly Dictionary<string, string> OfTheHost = new(StringComparer.Ordinal)
    {
        ["AzureWebJobsStorage__accountName"] = "the host's storage",
        ["AzureWebJobsStorage__credential"] = "reached by identity",
        ["AzureWebJobsStorage__clientId"] = "by this one",
        ["APPLICATIONINSIGHTS_CONNECTION_STRING"] = "where telemetry goes",
        ["APPLICATIONINSIGHTS_AUTHENTICATION_STRING"] = "and as whom",
    };

    /// <summary>Those it reads in addition when the task hub is in the Durable Task Scheduler.</summary>
    private static readonly Dictionary<string, string> OfTheScheduler = new(StringComparer.Ordinal)
    {
        ["AzureFunctionsJobHost__extensions__durableTask__storageProvider__type"] = "host.json's default is storage",
        ["AzureFunctionsJobHost__extensions__durableTask__storageProvider__connectionStringName"] = "names the next",
        ["DURABLE_TASK_SCHEDULER_CONNECTION_STRING"] = "the scheduler's address",
    };

    /// <summary>Settings called connection strings although whoever has them can do nothing: both services take only Entra tokens.</summary>
    private static readonly Dictionary<string, string> HoldNoSecret = new(StringComparer.Ordinal)
    {
        ["APPLICATIONINSIGHTS_CONNECTION_STRING"] = "addresses and a key that DisableLocalAuth takes the force of",
        ["DURABLE_TASK_SCHEDULER_CONNECTION_STRING"] = "an address and a client id",
        ["AzureFunctionsJobHost__extensions__durableTask__storageProvider__connectionStringName"] = "the name of a setting",
    };

    /// <summary>All rights there are: the kind of resource, which of them, the role.</summary>
    private static readonly (string Scope, string Role)[] Rights =
    [
        ("Microsoft.Storage/storageAccounts host", "b7e6dc6d-f1e8-4753-8033-0f276bb0955b"), // Storage Blob Data Owner
        ("Microsoft.Storage/storageAccounts data", "ba92f5b4-2d11-453d-a403-e96b0029c9fe"), // Storage Blob Data Contributor
        ("Microsoft.Storage/storageAccounts data", "0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3"), // Storage Table Data Contributor
        ("Microsoft.ServiceBus/namespaces", "4f6d3b9b-027b-4f4c-9142-0e5a2a2247e0"), // Azure Service Bus Data Receiver
        ("Microsoft.ServiceBus/namespaces", "69a216fc-b8fb-44d8-bc22-1f3c2cd27a39"), // Azure Service Bus Data Sender
        ("Microsoft.KeyVault/vaults", "4633458b-17de-408a-b874-0445c86b69e6"), // Key Vault Secrets User
        ("Microsoft.Insights/components", "3913510d-42f4-4e42-8a64-420c390055eb"), // Monitoring Metrics Publisher
    ];

    private static readonly (string Scope, string Role)[] RightsOnTheScheduler =
    [
        ("Microsoft.DurableTask/schedulers/taskHubs", "0ad04412-c4d5-4796-b79c-f76d14c8d402"), // Durable Task Data Contributor
    ];

    private static readonly (string Scope, string Role)[] RightsOnAHubInStorage =
    [
        ("Microsoft.Storage/storageAccounts host", "974c5e8b-45b9-4653-ba55-5f855dd0fb88"), // Storage Queue Data Contributor
        ("Microsoft.Storage/storageAccounts host", "0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3"), // Storage Table Data Contributor
    ];

    /// <summary>Containers that no constant <c>Container</c> in the code names.</summary>
    private static readonly Dictionary<string, string> OtherContainers = new(StringComparer.Ordinal)
    {
        ["packages"] = "the app's package, written by the deployment",
        ["invoices"] = "issued invoices, which nobody can change",
    };

    /// <summary>What can be reached only through private endpoints, and by which of its services.</summary>
    private static readonly (string Scope, string Group)[] PrivateServices =
    [
        ("Microsoft.Storage/storageAccounts host", "blob"),
        ("Microsoft.Storage/storageAccounts host", "queue"),
        ("Microsoft.Storage/storageAccounts host", "table"),
        ("Microsoft.Storage/storageAccounts data", "blob"),
        ("Microsoft.Storage/storageAccounts data", "table"),
        ("Microsoft.KeyVault/vaults", "vault"),
    ];

    /// <summary>What names may look like. Source: learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules</summary>
    private static readonly (string Type, string Pattern)[] NamePatterns =
    [
        (Storage, "^[a-z0-9]{3,24}$"),
        (Bus, "^[a-zA-Z][a-zA-Z0-9-]{4,48}[a-zA-Z0-9](?<!-sb|-mgmt)$"),
        (Vault, "^[a-zA-Z](?!.*--)[a-zA-Z0-9-]{1,22}[a-zA-Z0-9]$"),
        (Site, "^[a-z][a-z0-9-]{1,31}$"), // The host takes its id from 32 characters.
        ("Microsoft.DurableTask/schedulers", "^[a-zA-Z0-9-]{3,64}$"),
        ("Microsoft.DurableTask/schedulers/taskHubs", "^[^/]+/[a-zA-Z][a-zA-Z0-9]{2,44}$"),
    ];

    /// <summary>Rules that hold for every choice of parameters.</summary>
    public static IReadOnlyList<string> OfTemplate(JsonObject template) =>
        [.. Literal(template), .. Tls(template), .. Keyless(template), .. Outputs(template), .. Parameters(template), .. Grants(template)];

    /// <summary>Rules of what one choice of parameters deploys.</summary>
    public static IReadOnlyList<string> OfDeployment(JsonObject deployment) =>
    [
        .. QueuesAreThoseOfTheCode(deployment), .. SettingsAreThoseOfTheCode(deployment), .. SettingValues(deployment), .. RoleAssignments(deployment),
        .. Containers(deployment), .. Names(deployment), .. Network(deployment), .. ConnectionStrings(deployment),
    ];

    private static IEnumerable<string> Literal(JsonObject template)
    {
        ILookup<string, (string Module, JsonObject Resource)> byType = Arm.Resources(template).ToLookup(r => Arm.TypeOf(r.Resource));
        return Literals.SelectMany(rule => byType[rule.Type].Any()
            ? byType[rule.Type]
                .Where(r => !rule.Values.Contains(Arm.Text(Arm.At(r.Resource, rule.Property))))
                .Select(r => $"{r.Module}: {rule.Property} of {rule.Type} must be {string.Join(" or ", rule.Values)}.")
            : [$"There is no {rule.Type}."]);
    }

    /// <summary>Wherever a type has such a property, also one that the table above does not know.</summary>
    private static IEnumerable<string> Tls(JsonObject template) =>
        from r in Arm.Resources(template)
        from value in Arm.Values(r.Resource)
        where value.Member.EndsWith("TlsVersion", StringComparison.OrdinalIgnoreCase) && !Tls12OrLater.Contains(value.Value)
        select $"{r.Module}: {value.Member} of {Arm.TypeOf(r.Resource)} is {value.Value}.";

    private static IEnumerable<string> Keyless(JsonObject template)
    {
        IEnumerable<string> keys =
            from value in Arm.Values(template)
            where KeyPattern().IsMatch(value.Value)
            select $"A key is read or written: {value.Member} = {value.Value}";
        IEnumerable<string> secrets =
            from r in Arm.Resources(template)
            where Arm.TypeOf(r.Resource) == $"{Vault}/secrets"
            select $"{r.Module}: the value of a secret is deployed.";
        IEnumerable<string> secure =
            from t in Arm.Templates(template)
            from parameter in Members(t.Template, "parameters")
            where Arm.Text(parameter.Value["type"]) is "securestring" or "secureObject"
            select $"{t.Module}: parameter {parameter.Name} would carry a secret.";
        return [.. keys, .. secrets, .. secure];
    }

    private static IEnumerable<string> Outputs(JsonObject template) =>
        from t in Arm.Templates(template)
        from output in Members(t.Template, "outputs")
        where SecretOutput().IsMatch(output.Name) || Arm.Values(output.Value["value"]).Any(v => SecretOutput().IsMatch(v.Value))
        select $"{t.Module}: output {output.Name} may carry a secret.";

    private static IEnumerable<string> Parameters(JsonObject template)
    {
        IEnumerable<string> undescribed =
            from t in Arm.Templates(template)
            from parameter in Members(t.Template, "parameters")
            where string.IsNullOrWhiteSpace(Arm.Text(Arm.At(parameter.Value, "metadata.description")))
            select $"{t.Module}: parameter {parameter.Name} is not described.";
        IEnumerable<string> unbounded =
            from parameter in Members(template, "parameters")
            where Arm.Text(parameter.Value["type"]) is "string" or "int" or "array"
                && !parameter.Value.Any(m => m.Key is "allowedValues" or "minLength" or "maxLength" or "minValue" or "maxValue")
            select $"main: parameter {parameter.Name} takes anything.";
        return [.. undescribed, .. unbounded];
    }

    private static IEnumerable<string> Grants(JsonObject template) =>
        from r in Arm.Resources(template)
        where Arm.TypeOf(r.Resource) == RoleAssignment && r.Module != "roles"
        select $"{r.Module}: roles are assigned in roles.bicep only.";

    private static IEnumerable<string> QueuesAreThoseOfTheCode(JsonObject deployment)
    {
        Dictionary<string, JsonObject> queues = Arm.Predicted(deployment, Queue).ToDictionary(q => Arm.NameOf(q).Split('/')[1]);
        IEnumerable<string> terms =
            from queue in queues
            from term in new (string Property, bool IsMet)[]
            {
                ("maxDeliveryCount", Term(queue.Value, "maxDeliveryCount") == Queues.MaxDeliveryCount.ToString(CultureInfo.InvariantCulture)),
                ("requiresDuplicateDetection", Term(queue.Value, "requiresDuplicateDetection") == "true"),
                ("duplicateDetectionHistoryTimeWindow", Time(queue.Value, "duplicateDetectionHistoryTimeWindow") == Queues.DuplicateWindow),
                ("lockDuration", Time(queue.Value, "lockDuration") == Queues.LockDuration),
                ("deadLetteringOnMessageExpiration", Term(queue.Value, "deadLetteringOnMessageExpiration") == "true"),
                ("defaultMessageTimeToLive", Time(queue.Value, "defaultMessageTimeToLive") is { } life && life < BodiesLive(deployment)),
            }
            where !term.IsMet
            select $"Queue {queue.Key}: {term.Property} is not what the code was written for.";
        return [.. Difference("queue", Queues.All, queues.Keys), .. terms];
    }

    /// <summary>How long the bodies of large messages are kept in their container.</summary>
    private static Duration BodiesLive(JsonObject deployment)
    {
        JsonNode? rule = Arm.Predicted(deployment, $"{Storage}/managementPolicies")
            .SelectMany(p => (JsonArray)Arm.At(p, "properties.policy.rules")!)
            .FirstOrDefault(r => Arm.Values(Arm.At(r, "definition.filters.prefixMatch")).Any(p => p.Value == $"{MessageBodies.Container}/"));
        return Arm.Text(Arm.At(rule, "definition.actions.baseBlob.delete.daysAfterCreationGreaterThan")) is { } days
            ? Duration.FromDays(int.Parse(days, CultureInfo.InvariantCulture))
            : Duration.Zero;
    }

    private static IEnumerable<string> SettingsAreThoseOfTheCode(JsonObject deployment) => Difference(
        "setting",
        [.. SettingNames.All.Except(OnOneMachineOnly.Keys).Concat(OfTheHost.Keys).Concat(OfTheScheduler.Keys.Where(_ => HasScheduler(deployment)))],
        Settings(deployment).Select(s => ItemNumber().Replace(s.Name, "__0")).Distinct());

    private static IEnumerable<string> SettingValues(JsonObject deployment)
    {
        string? vault = Arm.Predicted(deployment, Vault).Select(Arm.NameOf).FirstOrDefault();
        foreach ((string name, string value) in Settings(deployment))
        {
            if (SecretSetting().IsMatch(name) && value.Length > 0 && !(VaultReference().Match(value) is { Success: true } reference && reference.Groups[1].Value == vault))
            {
                yield return $"Setting {name} must refer to the key vault.";
            }

            if (ConnectionString().IsMatch(name) && !HoldNoSecret.ContainsKey(name))
            {
                yield return $"Setting {name} is a connection string.";
            }

            if (name == "DURABLE_TASK_SCHEDULER_CONNECTION_STRING" && !value.Contains("Authentication=ManagedIdentity", StringComparison.Ordinal))
            {
                yield return $"Setting {name} must name the managed identity.";
            }
        }
    }

    /// <summary>Nothing that is deployed, and no output, has a connection string in it but the settings that may.</summary>
    private static IEnumerable<string> ConnectionStrings(JsonObject deployment) =>
        from value in Arm.Values(deployment)
        where !HoldNoSecret.ContainsKey(value.Member) && ConnectionString().IsMatch(value.Value)
        select $"{value.Member} has a connection string.";

    private static IEnumerable<string> RoleAssignments(JsonObject deployment)
    {
        JsonObject[] assignments = [.. Arm.Predicted(deployment, RoleAssignment)];
        IEnumerable<string> others =
            from assignment in assignments
            where Term(assignment, "principalType") != "ServicePrincipal" || !Term(assignment, "principalId")!.Contains("/userAssignedIdentities/", StringComparison.Ordinal)
            select $"A role is given to {Term(assignment, "principalId")}.";
        return
        [
            .. Difference(
                "right",
                [.. from right in Rights.Concat(HasScheduler(deployment) ? RightsOnTheScheduler : RightsOnAHubInStorage) select $"{right.Scope}: {right.Role}"],
                from assignment in assignments
                select $"{Scope(((string)assignment["id"]!).Split($"/providers/{RoleAssignment}/")[0])}: {Term(assignment, "roleDefinitionId")!.Split('/')[^1]}"),
            .. others,
        ];
    }

    private static IEnumerable<string> Containers(JsonObject deployment)
    {
        IEnumerable<string> ofTheCode =
            from type in typeof(FlexApp).Assembly.GetTypes()
            let name = type.GetField("Container", BindingFlags.Public | BindingFlags.Static | BindingFlags.DeclaredOnly)
            where name is { IsLiteral: true }
            select (string)name.GetRawConstantValue()!;
        return Difference("container", [.. ofTheCode.Union(OtherContainers.Keys)], Arm.Predicted(deployment, Container).Select(c => Arm.NameOf(c).Split('/')[^1]));
    }

    private static IEnumerable<string> Names(JsonObject deployment) =>
        from rule in NamePatterns
        from resource in Arm.Predicted(deployment, rule.Type)
        where !Regex.IsMatch(Arm.NameOf(resource), rule.Pattern)
        select $"{rule.Type} cannot be named {Arm.NameOf(resource)}.";

    /// <summary>In a private network whatever has a private endpoint has no public one, and all that can have one has; else none has.</summary>
    private static IEnumerable<string> Network(JsonObject deployment)
    {
        bool isPrivate = Arm.Predicted(deployment, "Microsoft.Network/virtualNetworks").Any();
        bool isPremium = Arm.Predicted(deployment, Bus).Any(b => Arm.Text(Arm.At(b, "sku.name")) == "Premium");
        IEnumerable<(string Scope, string Group)> expected = isPrivate ? isPremium ? PrivateServices.Append((Bus, "namespace")) : PrivateServices : [];
        (string Id, string Group)[] endpoints =
        [
            .. from endpoint in Arm.Predicted(deployment, "Microsoft.Network/privateEndpoints")
               from connection in (JsonArray)Arm.At(endpoint, "properties.privateLinkServiceConnections")!
               select (Term(connection!, "privateLinkServiceId")!, Arm.Values(Arm.At(connection, "properties.groupIds")).Single().Value),
        ];
        HashSet<string> closed = [.. endpoints.Select(e => e.Id)];
        return
        [
            .. Difference("private endpoint", [.. expected.Select(e => $"{e.Scope}: {e.Group}")], endpoints.Select(e => $"{Scope(e.Id)}: {e.Group}")),
            .. from resource in Arm.Predicted(deployment)
               where Arm.At(resource, "properties.publicNetworkAccess") is not null && Arm.TypeOf(resource) is Storage or Vault or Bus
               let access = closed.Contains((string)resource["id"]!) ? "Disabled" : "Enabled"
               where Term(resource, "publicNetworkAccess") != access
               select $"Public network access of {Arm.NameOf(resource)} must be {access}.",
        ];
    }

    private static bool HasScheduler(JsonObject deployment) => Arm.Predicted(deployment, "Microsoft.DurableTask/schedulers").Any();

    private static IEnumerable<(string Name, string Value)> Settings(JsonObject deployment) =>
        Arm.Predicted(deployment, $"{Site}/config").SelectMany(c => Arm.Values(c["properties"]));

    private static string? Term(JsonNode resource, string property) => Arm.Text(Arm.At(resource, $"properties.{property}"));

    private static Duration? Time(JsonObject resource, string property) =>
        Term(resource, property) is { } text ? Duration.FromTimeSpan(XmlConvert.ToTimeSpan(text)) : null;

    /// <summary>The type a resource id is of and, of the two storage accounts, which one.</summary>
    private static string Scope(string id)
    {
        string[] parts = id.Split("/providers/")[1].Split('/');
        string type = string.Join('/', parts.Where((_, i) => i == 0 || i % 2 == 1));
        return type == Storage ? $"{type} {parts[^1][^4..]}" : type;
    }

    private static IEnumerable<(string Name, JsonObject Value)> Members(JsonObject template, string section) =>
        ((JsonObject?)template[section] ?? []).Select(m => (m.Key, (JsonObject)m.Value!));

    private static IEnumerable<string> Difference(string what, IReadOnlyCollection<string> expected, IEnumerable<string> actual)
    {
        string[] found = [.. actual];
        return
        [
            .. expected.Except(found).Select(name => $"The {what} {name} is missing."),
            .. found.Except(expected).Select(name => $"The {what} {name} is not expected."),
            .. found.GroupBy(name => name).Where(g => g.Count() > 1).Select(g => $"The {what} {g.Key} is there twice."),
        ];
    }

    [GeneratedRegex(@"\blist[A-Za-z]*\(|AccountKey=|SharedAccessKey|SharedAccessSignature|DefaultEndpointsProtocol|InstrumentationKey=")]
    private static partial Regex KeyPattern();

    [GeneratedRegex(@"connection_?string|instrumentationKey|password|\bsecret$|\blist[A-Za-z]*\(|[a-z]Key$|Token$", RegexOptions.IgnoreCase)]
    private static partial Regex SecretOutput();

    [GeneratedRegex("connection_?string", RegexOptions.IgnoreCase)]
    private static partial Regex ConnectionString();

    [GeneratedRegex("(Key|Secret|Password|Token)(Next)?$")]
    private static partial Regex SecretSetting();

    [GeneratedRegex(@"^@Microsoft\.KeyVault\(VaultName=([^;]+);SecretName=[a-z-]+\)$")]
    private static partial Regex VaultReference();

    [GeneratedRegex(@"__\d+(?=__|$)")]
    private static partial Regex ItemNumber();
}
