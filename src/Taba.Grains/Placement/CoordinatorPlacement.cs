using Orleans.Placement;
using Orleans.Runtime.Placement;
using Taba.Grains.Ports;
using Taba.Grains.Silos;

namespace Taba.Grains.Placement;

/// <summary>Places a grain on a silo that only coordinates, when there is one; else on the silo that calls first.</summary>
[AttributeUsage(AttributeTargets.Class)]
public sealed class CoordinatorPlacementAttribute() : PlacementAttribute(new CoordinatorPlacement());

[GenerateSerializer, Immutable, Alias("taba.CoordinatorPlacement")]
public sealed class CoordinatorPlacement : PlacementStrategy;

/// <summary>Asks the directory who coordinates. Several share the grains by key.</summary>
public sealed class CoordinatorPlacementDirector(ISiloDirectory silos) : IPlacementDirector
{
    public async Task<SiloAddress> OnAddActivation(PlacementStrategy strategy, PlacementTarget target, IPlacementContext context)
    {
        var compatible = context.GetCompatibleSilos(target);
        var coordinators = (await silos.GetAsync()).Where(s => s.Role == SiloRole.Coordinator).Select(s => s.Worker).ToHashSet();
        var candidates = compatible.Where(s => coordinators.Contains(s.ToParsableString())).Order().ToList();
        if (candidates.Count > 0)
            return ByKey(candidates);
        return context.LocalSiloStatus == SiloStatus.Active
            && compatible.Contains(context.LocalSilo) ? context.LocalSilo : ByKey([.. compatible.Order()]);

        SiloAddress ByKey(List<SiloAddress> among) => among[(int)(target.GrainIdentity.GetUniformHashCode() % (uint)among.Count)];
    }
}
