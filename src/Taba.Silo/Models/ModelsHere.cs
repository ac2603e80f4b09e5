using System.Collections.Concurrent;
using Taba.Grains;
using Taba.Grains.Sweeps;

namespace Taba.Silo.Models;

/// <summary>
/// Finds the model of a plan on this silo. A plan names a model by its digest, and has the path where its planner found it. This silo may
/// have the model elsewhere, or another one under that path. It uses a model of that digest and no other.
/// </summary>
/// <param name="catalogue">Reads models of this machine; null where the planner is in this process, and has done so.</param>
sealed class ModelsHere(ModelCatalogue? catalogue)
{
    const string Autoencoder = "autoencoder";

    readonly ConcurrentDictionary<ModelIdentity, ModelIdentity> _found = new();

    /// <summary>The same model with paths of this machine. Reads weights whose digest is not remembered: not for a grain's turn.</summary>
    /// <exception cref="BadInputException">This machine has no such model.</exception>
    public ModelIdentity Of(ModelIdentity wanted)
    {
        if (catalogue is null)
            return wanted;
        if (_found.TryGetValue(wanted, out var known))
            return known;
        var reasons = new List<string>();
        foreach (var selection in Selections(wanted))
        {
            try
            {
                var found = Resolve(wanted, selection);
                if (found.Digest == wanted.Digest)
                    return _found[wanted] = wanted with { Path = found.Path, WeightsPath = found.WeightsPath };
                reasons.Add($"{found.Path} is another one, {found.Digest}");
            }
            catch (BadInputException exception)
            {
                // Of a path with nothing there it is said that it names no model either.
                reasons.Add(Path.IsPathRooted(selection.NameOrPath) && !Path.Exists(selection.NameOrPath)
                    ? $"there is no {selection.NameOrPath}"
                    : exception.Message.TrimEnd('.'));
            }
        }
        throw new BadInputException(
            $"The sweep's model {wanted.Name ?? Path.GetFileName(Path.GetDirectoryName(wanted.Path))} ({wanted.Digest}) is not on "
            + $"{Environment.MachineName}: {string.Join("; ", reasons.Distinct())}. Put the same files there.");
    }

    ModelIdentity Resolve(ModelIdentity wanted, ModelSelection selection)
    {
        if (wanted.Family == Autoencoder && selection.NameOrPath == wanted.Path)
            return catalogue!.ResolveAutoencoder(wanted);
        var facts = catalogue!.Resolve(selection);
        return wanted.Family == Autoencoder
            ? facts.Autoencoder?.Model ?? throw new BadInputException($"{selection.NameOrPath} has no autoencoder")
            : facts.Identity;
    }

    /// <summary>The planner's path first, then the name; a size that the user asked for is part of the digest of some families.</summary>
    static IEnumerable<ModelSelection> Selections(ModelIdentity wanted)
    {
        ModelSelection[] places = wanted.Name is { } name
            ? [new(wanted.Path, wanted.WeightsPath), new(name), new(name, wanted.WeightsPath)]
            : [new(wanted.Path, wanted.WeightsPath)];
        foreach (var place in places)
        {
            yield return place;
            if (wanted.Family != Autoencoder)
                yield return place with { SampleSize = wanted.Height };
        }
    }
}
