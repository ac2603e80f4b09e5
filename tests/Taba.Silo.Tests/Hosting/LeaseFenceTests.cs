using Taba.Grains.Parts;
using Taba.Grains.Stages;
using Taba.Grains.Sweeps;
using Taba.Silo.Devices;
using Taba.Silo.Hosting;
using Taba.Storage.Manifests;
using Taba.Testing;

namespace Taba.Silo.Tests.Hosting;

/// <summary>Whoever sends a lease, a silo publishes nothing under a key that is not that of what it computed.</summary>
public sealed class LeaseFenceTests : IAsyncLifetime
{
    static readonly RowRange s_rows = new(0, 32);
    static readonly TimeSpan s_limit = TimeSpan.FromSeconds(60);

    readonly TempFolder _folder = new();
    EmbeddedSilo _silo = null!;
    StageSpec _spec = null!;

    public async ValueTask InitializeAsync()
    {
        var plan = EmbeddedSiloTests.Plan(new SweepSpec
        {
            Name = "fenced", Models = [GaussianModel.Write(_folder.Path)], Samples = 32, Seeds = [420], NumInferenceSteps = [10],
        });
        _spec = plan.Stages[0].Spec;
        _silo = await EmbeddedSilo.StartAsync(
            new EmbeddedSiloOptions
            {
                StoreRoot = Path.Combine(_folder.Path, ".taba"), Devices = SiloDevices.Resolve("cpu"),
                Command = "test"
            },
            CancellationToken.None);
    }

    public async ValueTask DisposeAsync()
    {
        await _silo.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public async Task Start_ALeaseThatNobodyGave_IsPublishedUnderItsOwnKeyOnly()
    {
        var key = StageKey.Of(_spec);
        // A silo that has just begun may give a part back: there is nobody who would lease it again.
        for (var epoch = 1; epoch <= 5 && (await ListAsync(key)).IsEmpty; epoch++)
            await RunAsync(new(new(key, 0, epoch, Guid.NewGuid()), _spec, s_rows, CaptureSelection.None, Supplement: false));
        Assert.Equal([s_rows], (await ListAsync(key)).Select(m => m.Rows));

        // Half the steps under the key of the whole.
        var forged = _spec with { NumInferenceSteps = 5 };
        var other = StageKey.Of(_spec with { NumInferenceSteps = 20 });
        await RunAsync(new(new(other, 0, 1, Guid.NewGuid()), forged, s_rows, CaptureSelection.None, Supplement: false));
        Assert.Empty(await ListAsync(other));
        Assert.False(await _silo.Store.HasStageAsync(other, CancellationToken.None));
    }

    [Fact]
    public async Task Start_ALeaseOfAnotherVersion_IsRefused()
    {
        var version = new ProgramVersion("9.9.9", ProgramVersion.Own.Numerics + 1);
        foreach (var key in new[] { StageKey.Of(_spec), StageKey.Of(_spec, version.Numerics) })
        {
            await RunAsync(
                new(new(key, 0, 1, Guid.NewGuid()), _spec, s_rows, CaptureSelection.None, Supplement: false) { Version = version });
            Assert.Empty(await ListAsync(key));
        }
    }

    [Theory]
    [InlineData("cpu", 1)]
    [InlineData("cuda", 0)]
    public async Task Start_ADeterministicLease_IsComputedOnItsKindOfDeviceOnly(string kind, int published)
    {
        var spec = _spec with { Determinism = new(16, kind) };
        var key = StageKey.Of(spec);
        for (var epoch = 1; epoch <= 3 && (await ListAsync(key)).IsEmpty; epoch++)
            await RunAsync(new(new(key, 0, epoch, Guid.NewGuid()), spec, s_rows, CaptureSelection.None, Supplement: false));
        Assert.Equal(published, (await ListAsync(key)).Length);
    }

    Task<System.Collections.Immutable.ImmutableArray<PartManifest>> ListAsync(string key) =>
        _silo.Store.ListAsync(key, s_rows, CancellationToken.None);

    /// <summary>Starts a part, as anyone may who reaches a gateway, and waits for its end.</summary>
    async Task RunAsync(PartLease lease)
    {
        var part = _silo.Grains.GetGrain<IPartGrain>(lease.Attempt.PartKey);
        Assert.True(await part.StartAsync(lease));
        using var limit = new CancellationTokenSource(s_limit);
        while ((await part.GetStatusAsync()).Attempt == lease.Attempt)
            await Task.Delay(20, limit.Token);
    }
}
