using System.Reflection;

namespace Taba.Silo.Tests.Workers;

/// <summary>Stands in for an interface: it does what a test says by a method's name, and any other call fails.</summary>
public class StandIn : DispatchProxy
{
    Dictionary<string, Func<MethodInfo, object?[], object?>> _methods = [];

    public static T For<T>(params (string Method, Func<MethodInfo, object?[], object?> Does)[] methods)
        where T : class
    {
        var proxy = Create<T, StandIn>();
        ((StandIn)(object)proxy)._methods = methods.ToDictionary(m => m.Method, m => m.Does);
        return proxy;
    }

    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args) => _methods.TryGetValue(targetMethod!.Name, out var does)
        ? does(targetMethod, args ?? [])
        : throw new NotSupportedException($"No test expects {targetMethod.DeclaringType!.Name}.{targetMethod.Name}.");
}
