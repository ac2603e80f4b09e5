using System.Collections.Concurrent;
using System.Collections.Immutable;
using Taba.Grains.Dispatch;

namespace Taba.Silo.Models;

/// <summary>
/// Models that this silo could not serve: it asks for none of their parts for a while, each time it tried in vain for twice as long. Models
/// are named by their digests; a stage of another version, by its key.
/// </summary>
sealed class ModelPauses(TimeProvider time)
{
    public static readonly TimeSpan Shortest = TimeSpan.FromSeconds(5);
    public static readonly TimeSpan Longest = TimeSpan.FromMinutes(5);

    readonly ConcurrentDictionary<string, Pause> _pauses = new();

    /// <summary>Why the silo asks for no parts of a model now; null when it may ask.</summary>
    public string? Reason(string model) => _pauses.TryGetValue(model, out var pause) && !HasEnded(pause) ? pause.Reason : null;

    /// <summary>Models that the silo asks for no parts of now, and why.</summary>
    public ImmutableArray<RefusedModel> Now =>
        [.. _pauses.Where(p => !HasEnded(p.Value)).Select(p => new RefusedModel(p.Key, p.Value.Reason))];

    /// <summary>The same by names, for people.</summary>
    public IEnumerable<(string Name, string Reason)> Named =>
        _pauses.Where(p => !HasEnded(p.Value)).Select(p => (p.Value.Name ?? p.Key, p.Value.Reason));

    /// <summary>The model could not be served.</summary>
    /// <param name="name">What people call it.</param>
    public void Refused(string model, string reason, string? name = null) => _pauses.AddOrUpdate(
        model,
        _ => new(name, reason, time.GetTimestamp(), Shortest),
        // Parts that were taken together are refused together: that is one try.
        (_, last) => HasEnded(last) ? new(name, reason, time.GetTimestamp(), last.Length * 2 < Longest ? last.Length * 2 : Longest) : last);

    /// <summary>The model is here.</summary>
    public void Served(string model) => _pauses.TryRemove(model, out _);

    bool HasEnded(Pause pause) => time.GetElapsedTime(pause.Since) >= pause.Length;

    sealed record Pause(string? Name, string Reason, long Since, TimeSpan Length);
}
