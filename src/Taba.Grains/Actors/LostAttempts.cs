using Taba.Grains.Faults;
using Taba.Grains.Ports;
using Taba.Grains.Stages;

namespace Taba.Grains.Actors;

/// <summary>
/// Looks how far attempts came that ended with their hosts or engines. What the stage heard while they ran is not asked: a coordinator that
/// dies with its worker forgets it, and only a checkpoint saves the next attempt any work.
/// </summary>
static class LostAttempts
{
    /// <summary>So many in a call; the rows of others wait for the next one.</summary>
    const int MostJudged = 64;

    /// <summary>An attempt that ends now, as it is remembered.</summary>
    /// <param name="epoch">The last that was given.</param>
    /// <param name="ofRows">It ended with its host or its engine, and so perhaps of its rows.</param>
    /// <param name="device">The device whose engine failed.</param>
    public static LostAttempt Of(StageState state, int epoch, Lease lease, bool ofRows, string? device = null) =>
        new(lease.Rows, lease.Worker, Strike: false, Reached: 0)
        {
            Attempt = lease.Attempt,
            Alone = lease.Alone,
            Host = lease.Host,
            Device = device,
            At = epoch,
            HostWorked = state.AtWork.FirstOrDefault(h => h.Host == lease.Host)?.Epoch ?? 0,
            Unjudged = ofRows,
        };

    /// <param name="state">The stage, with attempts that nobody has judged.</param>
    /// <returns>The stage, and the attempts that did not get on.</returns>
    public static async Task<(StageState State, List<LostAttempt> Strikes)> JudgeAsync(StageState state, IPartCatalogue catalogue)
    {
        var strikes = new List<LostAttempt>();
        var unjudged = state.Lost.Where(l => l.Unjudged).Take(MostJudged).ToList();
        var found = await Task.WhenAll(unjudged.Select(lost => LookAsync(state, lost, catalogue)));
        foreach (var (lost, seen) in unjudged.Zip(found))
        {
            if (seen is not var (gotOn, reached))
                continue;
            state = state.WithJudged(lost, gotOn, reached);
            if (gotOn.IsEmpty)
                strikes.Add(lost);
        }
        return (state, strikes);
    }

    /// <returns>Null when the store does not answer: then the rows wait for the next look, and all others do not.</returns>
    static async Task<(RowSet GotOn, double Reached)?> LookAsync(StageState state, LostAttempt lost, IPartCatalogue catalogue)
    {
        try
        {
            return await CompareAsync(state, lost, catalogue);
        }
        catch (Exception)
        {
            return null;
        }
    }

    static async Task<(RowSet GotOn, double Reached)> CompareAsync(StageState state, LostAttempt lost, IPartCatalogue catalogue)
    {
        var reached = await catalogue.GetReachedAsync(lost.Attempt, lost.Rows, CancellationToken.None);
        if (reached.All(step => step == 0))
            return (RowSet.Empty, 0);
        // Its file holds what it found of those before it: only a row that is further than in all of them got on. One that is not even as
        // far did not begin with what others left, because of what is kept beside it: then it goes by the attempts of its own host.
        var (before, here) = (new int[reached.Length], new int[reached.Length]);
        foreach (var earlier in state.EarlierAttempts(lost.Rows).Where(e => e.Attempt != lost.Attempt))
        {
            var steps = await catalogue.GetReachedAsync(earlier.Attempt, lost.Rows, CancellationToken.None);
            var isHere = state.Lost.Any(l => l.Attempt == earlier.Attempt && l.Host == lost.Host);
            for (var row = 0; row < before.Length; row++)
            {
                before[row] = Math.Max(before[row], steps[row]);
                here[row] = isHere ? Math.Max(here[row], steps[row]) : here[row];
            }
        }
        var gotOn = Enumerable.Range(0, before.Length)
            .Where(row => reached[row] > (reached[row] < before[row] ? here[row] : before[row]))
            .Select(row => lost.Rows.Start + row);
        return (RowSet.Of([.. gotOn.Select(row => new RowRange(row, row + 1))]), reached.Average());
    }
}
