using Taba.Grains.Parts;
using Taba.Grains.Stages;

namespace Taba.Silo.Workers;

/// <summary>Brings a leased part to its grain.</summary>
sealed class PartStarter(IGrainFactory grains, HeldParts held, TimeProvider time)
{
    const int Attempts = 10;
    static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(100);

    /// <returns>False when the part was given back, because its grain did not take it.</returns>
    public async Task<bool> StartAsync(PartLease lease)
    {
        held.Add(lease, time.GetTimestamp());
        try
        {
            for (var attempt = 1; attempt <= Attempts; attempt++)
            {
                if (await grains.GetGrain<IPartGrain>(lease.Attempt.PartKey).StartAsync(lease))
                {
                    held.Began(lease.Attempt);
                    return true;
                }
                // Another silo still had the grain, or an older attempt is about to stop: the next call finds its place here.
                await Task.Delay(s_pause, time);
            }
            held.Remove(lease.Attempt);
            await ReturnAsync(lease);
            return false;
        }
        catch
        {
            // A lease that is not renewed comes free. Renewed, it would be held for ever by nobody.
            held.Remove(lease.Attempt);
            throw;
        }
    }

    /// <summary>Gives a part back that did not begin.</summary>
    public Task ReturnAsync(PartLease lease) =>
        grains.GetGrain<IStageGrain>(StageAddress.GrainKey(lease.Attempt.StageKey)).GiveBackAsync(lease.Attempt, null);
}
