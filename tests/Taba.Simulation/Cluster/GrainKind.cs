using System.Collections.Concurrent;
using System.Reflection;
using Orleans.Concurrency;
using Orleans.GrainDirectory;
using Orleans.Placement;
using Taba.Grains.Placement;

namespace Taba.Simulation.Cluster;

/// <summary>A grain class of the real assembly: how it is made, where it lives, what may interleave.</summary>
sealed class GrainKind
{
    static readonly Dictionary<Type, GrainKind> s_byInterface = Find();
    static readonly ConcurrentDictionary<MethodInfo, GrainMethod> s_methods = new();

    readonly ConstructorInfo _constructor;
    readonly ParameterInfo[] _parameters;

    GrainKind(Type type)
    {
        Class = type;
        Type = GrainType.Create(type.Name.Replace("Grain", "", StringComparison.Ordinal).ToLowerInvariant());
        IsReentrant = type.GetCustomAttribute<ReentrantAttribute>() is not null;
        IsStatelessWorker = type.GetCustomAttribute<StatelessWorkerAttribute>() is not null;
        IsOfItsSilo = IsStatelessWorker || type.GetCustomAttribute<GrainDirectoryAttribute>() is not null;
        Placement = type.GetCustomAttribute<PlacementAttribute>()?.PlacementStrategy;
        _constructor = type.GetConstructors(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic)
            .OrderByDescending(c => c.GetParameters().Length).First();
        _parameters = _constructor.GetParameters();
    }

    public Type Class { get; }

    public GrainType Type { get; }

    public bool IsReentrant { get; }

    public bool IsStatelessWorker { get; }

    /// <summary>It is found in the directory of its silo, not in the cluster's.</summary>
    public bool IsOfItsSilo { get; }

    public PlacementStrategy? Placement { get; }

    /// <summary>It lives on the silo that its key names.</summary>
    public bool IsPinned => Placement is PinnedToSiloPlacement;

    /// <summary>The class behind an interface.</summary>
    public static GrainKind Of(Type @interface) => s_byInterface.TryGetValue(@interface, out var kind)
        ? kind
        : throw new InvalidOperationException($"No class of Taba.Grains implements {@interface}.");

    public static GrainMethod Method(MethodInfo method) => s_methods.GetOrAdd(method, m => new(m));

    /// <summary>Makes an instance; what it asks for comes from where Orleans would take it.</summary>
    public Grain Make(Func<ParameterInfo, object> resolve) => (Grain)_constructor.Invoke([.. _parameters.Select(resolve)]);

    static Dictionary<Type, GrainKind> Find()
    {
        var kinds = new Dictionary<Type, GrainKind>();
        var classes = typeof(Taba.Grains.Stages.IStageGrain).Assembly.GetTypes()
            .Where(t => !t.IsAbstract && t.IsSubclassOf(typeof(Grain)));
        foreach (var type in classes)
        {
            var kind = new GrainKind(type);
            foreach (var @interface in type.GetInterfaces().Where(i => i.IsAssignableTo(typeof(IGrain)) && i.Assembly == type.Assembly))
                kinds[@interface] = kind;
        }
        return kinds;
    }
}
