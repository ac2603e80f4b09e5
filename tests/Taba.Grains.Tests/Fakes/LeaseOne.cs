using Taba.Grains.Stages;

namespace Taba.Grains.Tests.Fakes;

static class LeaseOne
{
    /// <summary>
    /// Asks for a single part. The workers of these tests are names and no silos, so their parts run where they are called.
    /// </summary>
    public static async Task<PartLease?> LeaseAsync(this IStageGrain stage, string worker, int? preferredRow) =>
        (await stage.LeaseAsync(worker, new LeaseRequest(1, preferredRow))).SingleOrDefault() is { } lease
        ? lease with { Worker = null }
        : null;
}
