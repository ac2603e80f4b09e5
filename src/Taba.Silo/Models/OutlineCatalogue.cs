using Taba.Diffusion.Models;
using Taba.Grains;
using Taba.Grains.Planning;
using Taba.Grains.Sweeps;

namespace Taba.Silo.Models;

/// <summary>Something that a plan needs to be exact and this machine lacks.</summary>
/// <param name="Name">What <c>taba models pull</c> calls it.</param>
/// <param name="Source">Where it would come from.</param>
/// <param name="Bytes">About how large it is; null when nobody here can tell.</param>
/// <param name="IsHalf">In half precision: twice as large where its repository has no such files.</param>
public sealed record AbsentFile(string Name, string Source, long? Bytes, bool IsHalf = false);

/// <summary>
/// Models for plans. A known model whose weights are not here is described as it is shipped: shapes, schedules and evaluations need no
/// weights. What depends on their digest is unknown, and <see cref="Absent"/> says so.
/// </summary>
public sealed class OutlineCatalogue(ModelCatalogue models) : IModelCatalogue
{
    const int HalfBytes = 2, SingleBytes = 4;

    readonly List<AbsentFile> _absent = [];

    /// <summary>The models that are not here.</summary>
    public IReadOnlyList<AbsentFile> Absent => _absent;

    /// <exception cref="BadInputException">As <see cref="ModelCatalogue.Resolve"/>, but for weights of known models.</exception>
    public ModelFacts Resolve(ModelSelection selection)
    {
        try
        {
            return models.Resolve(selection);
        }
        catch (NotPulledException absent) when (KnownModels.Find(absent.Name) is { } known)
        {
            var (facts, definition) = models.Outline(selection, known);
            if (_absent.All(a => a.Name != known.Name))
                _absent.Add(OfModel(known, definition));
            return facts;
        }
    }

    static AbsentFile OfModel(KnownModel known, ModelDefinition definition)
    {
        var isHalf = known.Repository?.Variant is "fp16";
        return new(known.Name, known.Source!, definition.ParametersInAll * (isHalf ? HalfBytes : SingleBytes), isHalf);
    }
}
