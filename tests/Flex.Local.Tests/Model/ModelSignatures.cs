#if !FLEX_AZURE
using System.Globalization;
using System.Reflection;
using System.Runtime.CompilerServices;

namespace Flex.Local.Tests.Model;

/// <summary>Writes the public surface of types in the form of <c>public-api.txt</c>.</summary>
internal static class ModelSignatures
{
    private const BindingFlags Declared = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;

    private static readonly Dictionary<Type, string> Keywords = new()
    {
        [typeof(void)] = "void",
        [typeof(object)] = "object",
        [typeof(string)] = "string",
        [typeof(bool)] = "bool",
        [typeof(int)] = "int",
        [typeof(long)] = "long",
        [typeof(double)] = "double",
    };

    /// <summary>What every record and delegate has by itself.</summary>
    private static readonly HashSet<string> Generated = ["Equals", "GetHashCode", "Deconstruct", "BeginInvoke", "EndInvoke", "EqualityContract", "PrintMembers"];

    public static string Header(Type type) => $"{Kind(type)} {type.Namespace}.{Name(type)}";

    public static IEnumerable<string> Members(Type type)
    {
        if (type.IsEnum)
        {
            return Enum.GetNames(type).Select(n => $"value {n} = {Convert.ToInt32(Enum.Parse(type, n), CultureInfo.InvariantCulture)}");
        }

        return Bases(type).Concat(type.GetMembers(Declared).Select(Member).OfType<string>());
    }

    private static IEnumerable<string> Bases(Type type)
    {
        if (typeof(Delegate).IsAssignableFrom(type))
        {
            yield break;
        }

        Type? parent = type.BaseType;
        if (parent is not null && parent != typeof(object) && parent != typeof(ValueType))
        {
            yield return "base " + Name(parent);
        }

        IEnumerable<Type> inherited = (parent?.GetInterfaces() ?? []).Concat(type.GetInterfaces().SelectMany(i => i.GetInterfaces()));
        foreach (Type face in type.GetInterfaces().Except(inherited).Where(f => !f.Name.StartsWith("IEquatable", StringComparison.Ordinal)))
        {
            yield return "base " + Name(face);
        }

        if (typeof(Attribute).IsAssignableFrom(type) && type.GetCustomAttribute<AttributeUsageAttribute>() is { } usage)
        {
            yield return $"usage {usage.ValidOn}";
        }
    }

    private static string? Member(MemberInfo member) => member switch
    {
        _ when Generated.Contains(member.Name) => null,
        PropertyInfo property => Property(property),
        ConstructorInfo { IsStatic: false } ctor when IsVisible(ctor) && !SaysNothing(ctor) =>
            $"{Visibility(ctor)} ctor({Parameters(ctor)})",
        MethodInfo method when IsVisible(method) && (!method.IsSpecialName || method.Name == "op_Implicit") => Method(method),
        _ => null,
    };

    private static string? Property(PropertyInfo property)
    {
        MethodInfo get = property.GetMethod!;
        if (!IsVisible(get, orGenerated: true))
        {
            return null;
        }

        string set = property.SetMethod is not { } setter || !IsVisible(setter, orGenerated: true) ? string.Empty
            : setter.ReturnParameter.GetRequiredCustomModifiers().Contains(typeof(IsExternalInit)) ? " init" : " set";
        return $"{Visibility(get)}{Modifiers(get)} property {property.Name}: {TypeName(new NullabilityInfoContext().Create(property))} {{ get{set} }}";
    }

    private static string Method(MethodInfo method)
    {
        string generic = method.IsGenericMethod ? $"<{string.Join(", ", method.GetGenericArguments().Select(a => a.Name))}>" : string.Empty;
        string returns = TypeName(method.ReturnParameter);
        return $"{Visibility(method)}{Modifiers(method)} method {method.Name}{generic}({Parameters(method)}): {returns}";
    }

    private static string Parameters(MethodBase method) => string.Join(", ", method.GetParameters().Select(p =>
        $"{p.Name}: {TypeName(p)}{(p.HasDefaultValue ? " = " + Default(p) : string.Empty)}"));

    private static string Default(ParameterInfo parameter) => parameter.DefaultValue switch
    {
        null => parameter.ParameterType.IsValueType ? "default" : "null",
        bool value => value ? "true" : "false",
        { } value => Convert.ToString(value, CultureInfo.InvariantCulture)!,
    };

    /// <summary>A compiler-made copy constructor or the like is nobody's declaration; accessors of properties are always made.</summary>
    private static bool IsVisible(MethodBase method, bool orGenerated = false) =>
        (method.IsPublic || method.IsFamily || method.IsFamilyOrAssembly)
        && (orGenerated || !method.IsDefined(typeof(CompilerGeneratedAttribute), false))
        && !method.Name.Contains('<', StringComparison.Ordinal);

    /// <summary>Delegates are not constructed by hand, and who may call an abstract class's empty constructor is no difference.</summary>
    private static bool SaysNothing(ConstructorInfo ctor) =>
        typeof(Delegate).IsAssignableFrom(ctor.DeclaringType) || (ctor.DeclaringType!.IsAbstract && ctor.GetParameters().Length == 0);

    private static string Visibility(MethodBase method) => method.IsPublic ? "public" : "protected";

    private static string Modifiers(MethodInfo method) =>
        method.DeclaringType!.IsInterface || typeof(Delegate).IsAssignableFrom(method.DeclaringType) ? string.Empty
        : method.IsStatic ? " static"
        : method.IsAbstract ? " abstract"
        : method.IsVirtual && method.GetBaseDefinition() != method ? " override"
        : method.IsVirtual && !method.IsFinal ? " virtual"
        : string.Empty;

    private static string Kind(Type type) =>
        type.IsEnum ? "enum"
        : type.IsValueType ? "struct"
        : type.IsInterface ? "interface"
        : typeof(Delegate).IsAssignableFrom(type) ? "delegate"
        : (type.IsAbstract && type.IsSealed ? "static " : type.IsAbstract ? "abstract " : type.IsSealed ? "sealed " : string.Empty)
            + (type.GetMethod("<Clone>$") is null ? "class" : "record");

    private static string Name(Type type)
    {
        if (Keywords.TryGetValue(type, out string? keyword))
        {
            return keyword;
        }

        return type.IsGenericType
            ? $"{type.Name[..type.Name.IndexOf('`', StringComparison.Ordinal)]}<{string.Join(", ", type.GetGenericArguments().Select(Name))}>"
            : type.Name;
    }

    /// <summary>Reflection calls every unconstrained type parameter nullable, so whether "T?" was written is read from the attributes.</summary>
    private static string TypeName(ParameterInfo parameter)
    {
        if (!parameter.ParameterType.IsGenericParameter)
        {
            return TypeName(new NullabilityInfoContext().Create(parameter));
        }

        object? annotation = parameter.CustomAttributes.Concat(parameter.Member.CustomAttributes).Concat(parameter.Member.DeclaringType!.CustomAttributes)
            .FirstOrDefault(a => a.AttributeType.Name is "NullableAttribute" or "NullableContextAttribute")?.ConstructorArguments[0].Value;
        return parameter.ParameterType.Name + (annotation is (byte)2 ? "?" : string.Empty);
    }

    private static string TypeName(NullabilityInfo info)
    {
        Type type = info.Type;
        if (Nullable.GetUnderlyingType(type) is { } value)
        {
            return Name(value) + "?";
        }

        string name = info.ElementType is { } element ? TypeName(element) + "[]"
            : type.IsGenericType && info.GenericTypeArguments.Length > 0
                ? $"{type.Name[..type.Name.IndexOf('`', StringComparison.Ordinal)]}<{string.Join(", ", info.GenericTypeArguments.Select(TypeName))}>"
                : Name(type);
        NullabilityState state = info.ReadState == NullabilityState.Unknown ? info.WriteState : info.ReadState;
        return state == NullabilityState.Nullable && !type.IsValueType ? name + "?" : name;
    }
}
#endif
