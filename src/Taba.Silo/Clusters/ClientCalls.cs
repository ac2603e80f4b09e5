using System.Collections.Concurrent;
using System.Collections.Frozen;
using System.Reflection;
using Orleans.Runtime;
using Orleans.Serialization.Invocation;
using Taba.Grains;

namespace Taba.Silo.Clusters;

/// <summary>
/// Refuses calls of programs outside the cluster but for methods that are for them (<see cref="ForClientsAttribute"/>) and what Orleans
/// needs to serve those. Grains, Orleans itself and the services of silos call what they like.
/// </summary>
/// <remarks>
/// A gateway passes on whom a message names as its sender. So this stops mistakes and curious clients, and not a client whose Orleans was
/// rebuilt to lie: certificates decide who comes near (<see cref="Tls.TlsSettings"/>).
/// </remarks>
sealed class ClientCalls : IIncomingGrainCallFilter
{
    /// <summary>Begins the key of the client within a silo, by which its services call; Orleans names it after the silo.</summary>
    static readonly byte[] s_hosted = "hosted-"u8.ToArray();

    /// <summary>Orleans' own: which grains there are, and that a call is given up. They are internal, so they go by name.</summary>
    static readonly FrozenSet<string> s_needed = FrozenSet.Create(
        StringComparer.Ordinal,
        "Orleans.Runtime.IClusterManifestSystemTarget", "Orleans.Runtime.IGrainCallCancellationExtension",
        "Orleans.Runtime.ICancellationSourcesExtension");

    readonly ConcurrentDictionary<MethodInfo, bool> _allowed = new();

    public Task Invoke(IIncomingGrainCallContext context)
    {
        if (context.SourceId is { } source && source.IsClient() && !source.Key.AsSpan().StartsWith(s_hosted))
            Require(context.Request);
        return context.Invoke();
    }

    void Require(IInvokable request)
    {
        var method = Meant(request);
        if (!_allowed.GetOrAdd(method, IsAllowed))
            throw new CallRefusedException(
                $"{method.DeclaringType?.Name}.{method.Name} is not for programs outside the cluster: are client and silos of one "
                + "version?");
    }

    /// <summary>The method itself, or that whose sequence a client begins to read.</summary>
    static MethodInfo Meant(IInvokable request)
    {
        if (request.GetInterfaceType() == typeof(IAsyncEnumerableGrainExtension))
        {
            for (var i = 0; i < request.GetArgumentCount(); i++)
            {
                if (request.GetArgument(i) is IInvokable begun)
                    return begun.GetMethod();
            }
        }
        return request.GetMethod();
    }

    /// <summary>To go on with a sequence, and to end one, is for whoever could begin it.</summary>
    static bool IsAllowed(MethodInfo method) =>
        method.IsDefined(typeof(ForClientsAttribute)) || method.DeclaringType == typeof(IAsyncEnumerableGrainExtension)
        || s_needed.Contains(method.DeclaringType?.FullName ?? "");
}
