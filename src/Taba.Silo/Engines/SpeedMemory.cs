using Taba.Storage.Objects;
using System.Text.Json;
using System.Text.Json.Serialization;
using Taba.Diffusion.Engine;

namespace Taba.Silo.Engines;

/// <summary>
/// Remembers the speed of engines on this machine, and how many rows of a model a device could hold, in a small file of the store, so that
/// a plan can estimate its time. It is only a memory: when the file is absent, damaged or cannot be written, nothing is known.
/// </summary>
/// <param name="storeRoot">The store's folder.</param>
public sealed class SpeedMemory(string storeRoot)
{
    const long MaxFileBytes = 1 << 20;
    const int MaxEntries = 1000;
    const int MaxBatch = 4096;

    static readonly JsonSerializerOptions s_json = new() { WriteIndented = true };

    readonly Lock _lock = new();
    readonly string _file = Path.Combine(storeRoot, "speeds.json");

    /// <summary>The speed of an engine on a kind of device of this machine; null when nothing is remembered.</summary>
    public MeasuredSpeed? Find(string engine, string device) =>
        Read().GetValueOrDefault(Name(engine, device)) is { Evaluations: > 0 } speed ? speed : null;

    /// <summary>The most rows of a forward pass that fit a device of this kind and this much memory; null when it never ran out.</summary>
    public int? FindLimit(string engine, string device, long memoryBytes) =>
        Read().GetValueOrDefault(LimitName(engine, device, memoryBytes))?.BatchLimit;

    /// <summary>Remembers that a device ran out of memory with more rows than <paramref name="limit"/>.</summary>
    public void AddLimit(string engine, string device, long memoryBytes, int limit) =>
        Change(
            LimitName(engine, device, memoryBytes), earlier => new(0, 0, 0) { BatchLimit = Math.Min(limit, earlier?.BatchLimit ?? limit) });

    /// <summary>Rows of a pass that were found to be the fastest for an engine; null when nobody looked.</summary>
    /// <param name="network">How its network is computed.</param>
    public int? FindBatch(string engine, NetworkForm network, string device) =>
        Read().GetValueOrDefault(BatchName(engine, network, device)) is { BatchSize: >= 1 and <= MaxBatch } found ? found.BatchSize : null;

    /// <summary>Remembers what a probe found, in place of what an earlier one did.</summary>
    public void AddBatch(string engine, NetworkForm network, string device, BatchFound found)
    {
        if (found is { Evaluations: > 0, Elapsed.Ticks: > 0 })
            Change(BatchName(engine, network, device), _ => new(found.Evaluations, found.Elapsed.TotalSeconds, found.Rows));
    }

    /// <summary>Adds what an engine did. Earlier runs count half as much with each that follows: a machine changes.</summary>
    /// <param name="evaluations">Network evaluations.</param>
    /// <param name="busy">What they took: the network, the engine's own work, and waiting for results to be taken.</param>
    /// <param name="batchSize">The most rows of one forward pass.</param>
    public void Add(string engine, string device, long evaluations, TimeSpan busy, int batchSize)
    {
        if (evaluations <= 0 || busy <= TimeSpan.Zero)
            return;
        Change(Name(engine, device), earlier =>
            new((earlier?.Evaluations ?? 0) / 2 + evaluations, (earlier?.Seconds ?? 0) / 2 + busy.TotalSeconds, batchSize));
    }

    void Change(string name, Func<MeasuredSpeed?, MeasuredSpeed> change)
    {
        // Other processes may write it too. The last one wins, which is enough for a memory.
        lock (_lock)
        {
            var entries = Read();
            entries[name] = change(entries.GetValueOrDefault(name));
            while (entries.Count > MaxEntries)
                entries.Remove(entries.Keys.First(k => k != name));
            var temporary = $"{_file}.tmp-{Guid.NewGuid():n}";
            try
            {
                File.WriteAllBytes(temporary, JsonSerializer.SerializeToUtf8Bytes(entries, s_json));
                File.Move(temporary, _file, overwrite: true);
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException)
            {
                DurableFile.DeleteIfThere(temporary);
            }
        }
    }

    // A store on a shared disk has more than one machine.
    static string Name(string engine, string device) => $"{Environment.MachineName} ({Environment.ProcessorCount}) {device} {engine}";

    static string BatchName(string engine, NetworkForm network, string device) => $"batch {network} {Name(engine, device)}";

    // The rows that fit do not depend on the machine. A GPU with more memory, or a larger container, begins anew.
    static string LimitName(string engine, string device, long memoryBytes) => $"limit {device} {memoryBytes >> 28} {engine}";

    Dictionary<string, MeasuredSpeed> Read()
    {
        try
        {
            if (new FileInfo(_file) is not { Exists: true, Length: <= MaxFileBytes })
                return [];
            var entries = JsonSerializer.Deserialize<Dictionary<string, MeasuredSpeed?>>(File.ReadAllBytes(_file)) ?? [];
            return entries.Where(e => e.Value is { BatchLimit: > 0 } or { Evaluations: > 0, Seconds: > 0 and < double.PositiveInfinity })
                .ToDictionary(e => e.Key, e => e.Value!);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or JsonException)
        {
            return [];
        }
    }
}

/// <summary>Evaluations of a network and what they took.</summary>
/// <param name="Evaluations">One for each row and step.</param>
/// <param name="Seconds">That the engine was busy with them.</param>
/// <param name="BatchSize">The most rows of one forward pass, last time.</param>
public sealed record MeasuredSpeed(long Evaluations, double Seconds, int BatchSize)
{
    /// <summary>The most rows of a forward pass that fit the device; null for a speed.</summary>
    public int? BatchLimit { get; init; }

    /// <summary>The speed of several such engines side by side.</summary>
    public MeasuredSpeed Times(int engines) => this with { Seconds = Seconds / engines };

    [JsonIgnore]
    public double PerSecond => Evaluations / Seconds;
}
