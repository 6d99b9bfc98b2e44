using System.Globalization;
using System.Reflection;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.DependencyInjection;

namespace Flex.Local.Runtime.Functions;

/// <summary>Binds a function's parameters, makes its instance and awaits its result. Prepared once per function.</summary>
internal sealed class FunctionMethod
{
    private static readonly MethodInfo AwaitGeneric = typeof(FunctionMethod).GetMethod(nameof(AwaitResultAsync), BindingFlags.NonPublic | BindingFlags.Static)!;

    private readonly FunctionDescriptor _function;
    private readonly Func<LocalFunctionContext, object?>[] _binders;
    private readonly MethodInvoker _invoker;
    private readonly Func<object?, Task<object?>> _await;
    private readonly Lazy<ObjectFactory> _activate;

    public FunctionMethod(FunctionDescriptor function)
    {
        _function = function;
        _binders = [.. function.Method.GetParameters().Select(Binder)];
        _invoker = MethodInvoker.Create(function.Method);
        _await = Awaiter(function.Method.ReturnType);
        _activate = new Lazy<ObjectFactory>(() => ActivatorUtilities.CreateFactory(function.Method.DeclaringType!, []));
    }

    public static bool CanReturn(Type type) =>
        type != typeof(ValueTask) && !(type.IsGenericType && type.GetGenericTypeDefinition() == typeof(ValueTask<>));

    /// <summary>The function's exceptions come as they were thrown.</summary>
    public Task<object?> RunAsync(LocalFunctionContext context)
    {
        var arguments = new object?[_binders.Length];
        for (int i = 0; i < arguments.Length; i++)
        {
            arguments[i] = _binders[i](context);
        }

        object? instance = _function.Method.IsStatic ? null : _activate.Value(context.InstanceServices, null);
        return _await(_invoker.Invoke(instance, arguments.AsSpan()));
    }

    private Func<LocalFunctionContext, object?> Binder(ParameterInfo parameter)
    {
        Type type = parameter.ParameterType;
        if (parameter.Position == _function.Trigger.Parameter.Position)
        {
            return context => context.Invocation.Trigger(type);
        }

        if (type == typeof(FunctionContext))
        {
            return context => context;
        }

        if (type == typeof(CancellationToken))
        {
            return context => context.CancellationToken;
        }

        if (parameter.GetCustomAttribute<DurableClientAttribute>() is not null)
        {
            return context => context.InstanceServices.GetRequiredService<DurableTaskClient>();
        }

        if (type == typeof(HttpRequest))
        {
            return context => context.Invocation.Http?.Request;
        }

        if (type == typeof(ServiceBusMessageActions))
        {
            return context => context.Invocation.MessageActions;
        }

        string name = parameter.Name!;
        return context => context.BindingContext.BindingData.TryGetValue(name, out object? value)
            ? ConvertTo(type, value, name)
            : parameter.HasDefaultValue ? parameter.DefaultValue : null;
    }

    /// <exception cref="FormatException">The value is not of the parameter's type; the real host fails the binding (500) as well.</exception>
    private static object? ConvertTo(Type type, object? value, string name)
    {
        Type target = Nullable.GetUnderlyingType(type) ?? type;
        if (value is null || target.IsInstanceOfType(value))
        {
            return value;
        }

        string text = Convert.ToString(value, CultureInfo.InvariantCulture)!;
        try
        {
            return target == typeof(Guid) ? Guid.Parse(text) : Convert.ChangeType(text, target, CultureInfo.InvariantCulture);
        }
        catch (Exception broken) when (broken is FormatException or InvalidCastException or OverflowException)
        {
            throw new FormatException($"Parameter '{name}' cannot be bound to {target.Name}.", broken);
        }
    }

    private static Func<object?, Task<object?>> Awaiter(Type returns)
    {
        if (returns == typeof(Task))
        {
            return AwaitAsync;
        }

        return returns.IsGenericType && returns.GetGenericTypeDefinition() == typeof(Task<>)
            ? AwaitGeneric.MakeGenericMethod(returns.GetGenericArguments()).CreateDelegate<Func<object?, Task<object?>>>()
            : Task.FromResult;
    }

    private static async Task<object?> AwaitAsync(object? task)
    {
        await (Task)task!;
        return null;
    }

    private static async Task<object?> AwaitResultAsync<T>(object? task) => await (Task<T>)task!;
}
