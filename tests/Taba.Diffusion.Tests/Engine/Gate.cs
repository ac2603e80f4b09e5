namespace Taba.Diffusion.Tests.Engine;

/// <summary>Holds an engine before each pass of its network until the test lets it go on.</summary>
sealed class Gate : IDisposable
{
    /// <summary>Only a test that fails waits so long.</summary>
    static readonly TimeSpan s_patience = TimeSpan.FromSeconds(60);

    readonly SemaphoreSlim _entered = new(0);
    readonly SemaphoreSlim _passes = new(0);

    /// <summary>For <see cref="ToyDenoiser.Before"/>.</summary>
    public void Enter(int rows)
    {
        _entered.Release();
        _passes.Wait();
    }

    /// <summary>Waits until so many passes more have begun.</summary>
    public async Task EnteredAsync(int passes = 1)
    {
        for (var pass = 0; pass < passes; pass++)
            Assert.True(await _entered.WaitAsync(s_patience), "The engine began no pass.");
    }

    /// <summary>Lets so many passes go on.</summary>
    public void Open(int passes) => _passes.Release(passes);

    public void Dispose()
    {
        _entered.Dispose();
        _passes.Dispose();
    }
}
