#if !FLEX_AZURE
using System.Reflection;
using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using Flex.Local.Runtime.Durable;
using Microsoft.DurableTask;
using Xunit;

namespace Flex.Local.Tests.Model;

/// <summary>
/// The local declarations of Microsoft's programming model: nothing that the real packages do not have, nothing that nobody
/// uses, no behaviour.
/// </summary>
public sealed class ModelTests
{
    private const BindingFlags Declared = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;

    /// <summary>IL bytes of a member that only hands on: a call with a few arguments, or fields being set.</summary>
    private const int TrivialBytes = 48;

    private static readonly Assembly Model = typeof(TaskOrchestrationContext).Assembly;

    /// <summary>Members that do more than hand on, because the real ones do and they are not overridable or have no other place.</summary>
    private static readonly HashSet<string> Behaving =
    [
        "RetryPolicy..ctor", // The defaults of the real policy: waits of at most an hour, no end.
        "TaskFailedException..ctor", // Its message.
        "StartOrchestrationOptionsExtensions.WithDedupeStatuses", // Statuses by name.
        "FunctionContextExtensions.GetHttpContext", // Reads the worker's own key.
    ];

    private static readonly Type[] Types = [.. Model.GetExportedTypes().OrderBy(t => t.FullName, StringComparer.Ordinal)];

    private static readonly Dictionary<string, HashSet<string>> Listing = ReadListing();

    public static TheoryData<string> TypeNames => [.. Types.Select(t => t.FullName!)];

    [Theory]
    [MemberData(nameof(TypeNames))]
    public void Every_declaration_is_one_of_the_real_packages(string typeName)
    {
        Type type = Model.GetType(typeName)!;

        Assert.True(Listing.TryGetValue(ModelSignatures.Header(type), out HashSet<string>? real), $"Not listed: {ModelSignatures.Header(type)}");
        Assert.Empty(ModelSignatures.Members(type).Where(m => !real.Contains(m)));
    }

    [Fact]
    public void Every_abstract_member_of_a_listed_type_is_declared_so_that_subclasses_are_complete()
    {
        string[] missing = [.. Types.SelectMany(type => Listing[ModelSignatures.Header(type)]
            .Where(line => line.Contains(" abstract ", StringComparison.Ordinal))
            .Except(ModelSignatures.Members(type))
            .Select(line => $"{type.Name}: {line}"))];

        Assert.Empty(missing);
    }

    [Fact]
    public void Nothing_is_listed_that_is_not_declared()
    {
        Assert.Equal(Types.Select(ModelSignatures.Header).Order(StringComparer.Ordinal), Listing.Keys.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void No_declaration_has_behaviour()
    {
        string[] behaving = [.. Types
            .SelectMany(t => t.GetMethods(Declared).Cast<MethodBase>().Concat(t.GetConstructors(Declared)))
            .Where(m => !m.Name.Contains('<', StringComparison.Ordinal) && !IsGenerated(m) && m.GetMethodBody() is { } body && body.GetILAsByteArray()!.Length > TrivialBytes)
            .Select(m => $"{m.DeclaringType!.Name}.{m.Name}")
            .Distinct()
            .Where(m => !Behaving.Contains(m))];

        Assert.Empty(behaving);
        Assert.DoesNotContain(Model.GetTypes(), t => t.IsNested && !IsGenerated(t));
    }

    [Fact]
    public void Nothing_is_declared_that_neither_the_functions_nor_the_local_host_use()
    {
        Assembly[] users = [typeof(Flex.Platform.StorageJson).Assembly, typeof(LocalTaskHub).Assembly];
        HashSet<string> used = [.. users.SelectMany(References)];
        Type[] subclasses = [.. users.SelectMany(a => a.GetTypes())];

        string[] unused = [.. Types.SelectMany(type => Names(type).Where(name => !used.Contains($"{type.Name}.{name}") && !IsTakenUp(type, name, subclasses)).Select(name => $"{type.Name}.{name}"))];

        Assert.Empty(unused);
    }

    /// <summary>Members by name; enum values, abstract members (any subclass must have them) and constructors count with their type.</summary>
    private static IEnumerable<string> Names(Type type) => type.IsEnum || type.IsInterface || typeof(Delegate).IsAssignableFrom(type)
        ? []
        : type.GetMethods(Declared).Where(m => (m.IsPublic || m.IsFamily) && !m.IsAbstract && !IsGenerated(m) && m.Name[0] != '<').Select(m => m.Name).Distinct()
            .Concat(type.GetProperties(Declared).Select(p => p.GetMethod!).Where(g => !g.IsAbstract && g.Name != "get_EqualityContract").Select(g => g.Name));

    /// <summary>Overridden in a subclass, set in an attribute, or part of what a type needs to be used at all.</summary>
    private static bool IsTakenUp(Type type, string name, Type[] subclasses) =>
        subclasses.Any(s => Derives(s, type) && s.GetMethods(Declared).Any(m => m.Name == name))
        || (typeof(Attribute).IsAssignableFrom(type) && name.StartsWith("set_", StringComparison.Ordinal))
        || name is "ToString" or "PrintMembers";

    private static bool Derives(Type type, Type from)
    {
        for (Type? at = type.BaseType; at is not null; at = at.BaseType)
        {
            if (at == from || (at.IsGenericType && at.GetGenericTypeDefinition() == from))
            {
                return true;
            }
        }

        return false;
    }

    private static bool IsGenerated(MemberInfo member) =>
        member.IsDefined(typeof(System.Runtime.CompilerServices.CompilerGeneratedAttribute), false) && !member.Name.StartsWith("get_", StringComparison.Ordinal);

    /// <summary>Type.Member of everything an assembly refers to outside itself, by simple names.</summary>
    private static IEnumerable<string> References(Assembly assembly)
    {
        using var file = new PEReader(File.OpenRead(assembly.Location));
        MetadataReader reader = file.GetMetadataReader();
        foreach (MemberReferenceHandle handle in reader.MemberReferences)
        {
            MemberReference member = reader.GetMemberReference(handle);
            string? parent = member.Parent.Kind switch
            {
                HandleKind.TypeReference => reader.GetString(reader.GetTypeReference((TypeReferenceHandle)member.Parent).Name),
                HandleKind.TypeSpecification => GenericName(reader, (TypeSpecificationHandle)member.Parent),
                _ => null,
            };
            if (parent is not null)
            {
                yield return $"{parent}.{reader.GetString(member.Name)}";
            }
        }
    }

    private static string? GenericName(MetadataReader reader, TypeSpecificationHandle handle)
    {
        BlobReader blob = reader.GetBlobReader(reader.GetTypeSpecification(handle).Signature);
        if (blob.ReadSignatureTypeCode() != SignatureTypeCode.GenericTypeInstance)
        {
            return null;
        }

        blob.ReadByte();
        EntityHandle type = blob.ReadTypeHandle();
        return type.Kind == HandleKind.TypeReference ? reader.GetString(reader.GetTypeReference((TypeReferenceHandle)type).Name) : null;
    }

    private static Dictionary<string, HashSet<string>> ReadListing()
    {
        Dictionary<string, HashSet<string>> listing = new(StringComparer.Ordinal);
        HashSet<string> members = [];
        using var reader = new StreamReader(typeof(ModelTests).Assembly.GetManifestResourceStream("public-api.txt")!);
        while (reader.ReadLine() is { } line)
        {
            if (line.StartsWith("  ", StringComparison.Ordinal))
            {
                members.Add(line.Trim());
            }
            else if (line.Length > 0 && line[0] != '#' && !listing.TryGetValue(line, out members!))
            {
                listing[line] = members = [];
            }
        }

        return listing;
    }
}
#endif
