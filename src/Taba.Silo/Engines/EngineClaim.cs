using Taba.Grains.Models;

namespace Taba.Silo.Engines;

/// <summary>A part's hold on an engine, and its rows among those that the device has to do. Disposed when the part ends.</summary>
/// <param name="model">Which engine of which device.</param>
/// <param name="engine">The engine.</param>
/// <param name="release">Gives the hold up.</param>
sealed class EngineClaim(ModelAddress model, LoadedEngine engine, Action release) : IDisposable
{
    public ModelAddress Model => model;

    public LoadedEngine Engine => engine;

    public void Dispose() => release();
}
