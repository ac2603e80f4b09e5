using Orleans.Placement;
using Orleans.Runtime.Placement;

namespace Taba.Grains.Placement;

/// <summary>
/// Places a grain on the silo that its key names (<c>silo|rest</c>). When that silo is gone the call fails: the device is gone too.
/// </summary>
[AttributeUsage(AttributeTargets.Class)]
public sealed class PinnedToSiloAttribute() : PlacementAttribute(new PinnedToSiloPlacement());

[GenerateSerializer, Immutable, Alias("taba.PinnedToSiloPlacement")]
public sealed class PinnedToSiloPlacement : PlacementStrategy
{
    /// <summary>The key of a grain that is pinned to a silo.</summary>
    public static string Key(SiloAddress silo, string rest) => $"{silo.ToParsableString()}|{rest}";
}

/// <summary>Reads the silo from the key.</summary>
public sealed class PinnedToSiloDirector : IPlacementDirector
{
    public Task<SiloAddress> OnAddActivation(PlacementStrategy strategy, PlacementTarget target, IPlacementContext context)
    {
        var key = target.GrainIdentity.Key.ToString() ?? "";
        var wanted = key.Split('|')[0];
        foreach (var silo in context.GetCompatibleSilos(target))
        {
            if (silo.ToParsableString() == wanted)
                return Task.FromResult(silo);
        }
        throw new OrleansException(
            $"The silo {wanted} of model {key} is not a member of the cluster any more: its work is leased anew elsewhere.");
    }
}
