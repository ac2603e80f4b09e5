namespace Taba.Reliability.Tests;

/// <summary>A sweep of two stages that ran undisturbed, for the tests that disturb it.</summary>
public sealed class ReferenceSweep : IAsyncLifetime
{
    public const string Sweep = """
        name: disturbed
        model: tiny.json
        samples: 32
        seed: 11
        num_inference_steps: 8
        deterministic: true
        stages: [sample, invert]
        """;

    public const int Planned = 32 * 2 * 8;

    readonly Workbench _bench = new(Sweep);

    public string Folder => _bench.OutFolder;

    public async ValueTask InitializeAsync()
    {
        await _bench.RunUndisturbedAsync();
        Assert.Equal(Planned, _bench.Evaluations);
    }

    public ValueTask DisposeAsync()
    {
        _bench.Dispose();
        return ValueTask.CompletedTask;
    }
}
