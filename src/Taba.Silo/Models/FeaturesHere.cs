using System.Collections.Concurrent;
using System.Collections.Immutable;
using Taba.Grains;

namespace Taba.Silo.Models;

/// <summary>Whether this silo has the networks that a stage measures by: those of the plan's digests and no others.</summary>
/// <param name="files">Reads weights of this machine; null where the planner is in this process, and has done so.</param>
sealed class FeaturesHere(FeatureFiles? files)
{
    readonly ConcurrentDictionary<FeatureFile, bool> _found = new();

    /// <summary>Reads weights whose digest is not remembered: not for a grain's turn.</summary>
    /// <exception cref="BadInputException">This machine lacks one of them.</exception>
    public void Require(ImmutableArray<FeatureFile> wanted)
    {
        if (files is null || wanted.IsDefault)
            return;
        foreach (var file in wanted.Where(file => !_found.ContainsKey(file)))
        {
            files.Require(file);
            _found[file] = true;
        }
    }
}
