using System.Diagnostics;
using Taba.Diffusion.Weights;
using Taba.Grains;

namespace Taba.Fuzz;

/// <summary>An input that was neither read nor refused as bad input, or not within the limits.</summary>
/// <param name="Case">Its number: with the seed it makes the input again.</param>
/// <param name="Kind">Findings of one kind have one cause.</param>
sealed record Finding(int Case, string Kind, string Text);

/// <summary>What became of the inputs of a family.</summary>
sealed class Tally
{
    public int Inputs { get; set; }

    public int Refused { get; set; }

    public int Read { get; set; }

    public TimeSpan Slowest { get; set; }

    public long MostAllocated { get; set; }

    public List<Finding> Unexpected { get; } = [];
}

/// <summary>Mutated inputs of a family, one after the other. Equal seeds make equal inputs.</summary>
sealed class FuzzRun(FuzzFamily family, int seed, string folder)
{
    /// <summary>One input; a machine that is busy with other things takes its time.</summary>
    static readonly TimeSpan s_mostTime = TimeSpan.FromSeconds(10);

    /// <summary>Managed memory that one input may take: files are read in pieces.</summary>
    const long MostAllocated = 512L << 20;

    /// <summary>Where inputs that are findings are kept; null keeps none.</summary>
    public string? Keep { get; init; }

    public Tally Many(int count)
    {
        var tally = new Tally();
        for (var i = 0; i < count; i++)
            Try(i, tally);
        return tally;
    }

    public Tally One(int index)
    {
        var tally = new Tally();
        Try(index, tally);
        return tally;
    }

    void Try(int index, Tally tally)
    {
        var (input, from) = Mutations.Of(family, new Random(SeedOf(index)));
        // An input on which a reader hangs, or the process dies, is found here afterwards.
        File.WriteAllBytes(Path.Combine(folder, "last-input"), input);
        var (before, started) = (GC.GetTotalAllocatedBytes(), Stopwatch.GetTimestamp());
        Finding? finding = null;
        tally.Inputs++;
        try
        {
            family.Read(input, from);
            tally.Read++;
        }
        catch (Exception refusal) when (refusal is BadInputException or WeightsFormatException)
        {
            tally.Refused++;
            if (string.IsNullOrWhiteSpace(refusal.Message) || refusal.Message.Contains("Exception", StringComparison.Ordinal))
                finding = new(index, "says nothing", $"refused without a sentence: {refusal.Message}");
        }
        catch (Exception unexpected)
        {
            var at = unexpected.StackTrace?.Split('\n').FirstOrDefault(l => l.Contains("Taba.", StringComparison.Ordinal))?.Trim();
            finding = new(index, $"{unexpected.GetType().Name} {at}", $"{unexpected.GetType().Name}: {unexpected.Message} {at}");
        }
        var (time, allocated) = (Stopwatch.GetElapsedTime(started), GC.GetTotalAllocatedBytes() - before);
        if (time > s_mostTime)
            finding ??= new(index, "slow", $"took {time.TotalSeconds:0.0} s");
        if (allocated > MostAllocated)
            finding ??= new(index, "memory", $"allocated {allocated >> 20} MiB");
        tally.Slowest = time > tally.Slowest ? time : tally.Slowest;
        tally.MostAllocated = Math.Max(allocated, tally.MostAllocated);
        if (finding is null)
            return;
        tally.Unexpected.Add(finding);
        if (Keep is not null)
        {
            Directory.CreateDirectory(Keep);
            File.WriteAllBytes(Path.Combine(Keep, $"{family.Name}-{seed}-{index}"), input);
        }
    }

    int SeedOf(int index)
    {
        // Of the same value in every process, which string.GetHashCode is not.
        var hash = 2166136261u;
        foreach (var c in family.Name)
            hash = (hash ^ c) * 16777619;
        return unchecked((int)((((hash ^ (uint)seed) * 16777619) ^ (uint)index) * 16777619));
    }
}
