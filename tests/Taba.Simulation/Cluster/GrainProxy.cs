using System.Reflection;

namespace Taba.Simulation.Cluster;

/// <summary>A reference to a grain, in the hands of one process.</summary>
#pragma warning disable CA1852 // The proxies derive from it when they are made.
class GrainProxy : DispatchProxy
{
    SimGrainFactory _factory = null!;
    GrainKind _kind = null!;
    GrainId _grain;

    public static object Of(Type @interface, SimGrainFactory factory, GrainKind kind, GrainId grain)
    {
        var proxy = (GrainProxy)Create(@interface, typeof(GrainProxy));
        (proxy._factory, proxy._kind, proxy._grain) = (factory, kind, grain);
        return proxy;
    }

    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args) =>
        _factory.Call(_kind, _grain, GrainKind.Method(targetMethod!), args ?? []);
}
