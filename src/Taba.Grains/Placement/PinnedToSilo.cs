using Orleans.Placement;
using Orleans.Runtime.Placement;
using Taba.Grains.Models;

namespace Taba.Grains.Placement;

/// <summary>
/// Places a grain on the silo that its key names (<c>silo|rest</c>). When that silo is gone the call fails: the device is gone too.
/// </summary>
[AttributeUsage(AttributeTargets.Class)]
public sealed class PinnedToSiloAttribute() : PlacementAttribute(new PinnedToSiloPlacement());

[GenerateSerializer, Immutable, Alias("taba.PinnedToSiloPlacement")]
public sealed class PinnedToSiloPlacement : PlacementStrategy
{
    /// <summary>The key of a model's grain, which is pinned to its silo.</summary>
    public static string Key(SiloAddress silo, ModelAddress model) => $"{silo.ToParsableString()}|{model}";

    /// <summary>The model of a key.</summary>
    public static ModelAddress ModelOf(string key) => ModelAddress.Parse(key[(key.IndexOf('|', StringComparison.Ordinal) + 1)..]);
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
