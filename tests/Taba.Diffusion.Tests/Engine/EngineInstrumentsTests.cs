using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Taba.Diffusion.Engine;

namespace Taba.Diffusion.Tests.Engine;

public sealed class EngineInstrumentsTests
{
    [Fact]
    public async Task RunSegment_Listened_MeasuresWhatWasDone()
    {
        var name = Guid.NewGuid().ToString();
        var sums = new ConcurrentDictionary<string, double>();
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, listener) =>
            {
                if (instrument.Meter.Name == EngineInstruments.MeterName)
                    listener.EnableMeasurementEvents(instrument);
            },
        };
        void Add(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
        {
            // Engines of other tests measure into the same instruments.
            if (tags.Contains(new("taba.model", name)) && tags.Contains(new("taba.device", "cpu")))
                sums.AddOrUpdate(instrument.Name, value, (_, sum) => sum + value);
        }
        listener.SetMeasurementEventCallback<long>((i, value, tags, _) => Add(i, value, tags));
        listener.SetMeasurementEventCallback<int>((i, value, tags, _) => Add(i, value, tags));
        listener.SetMeasurementEventCallback<double>((i, value, tags, _) => Add(i, value, tags));
        listener.Start();

        using var model = new ToyDenoiser(Rows.Shape);
        var engine = new DenoisingEngine(model, new EngineOptions { Name = name, Deterministic = true, DeterministicBatch = 4 });
        var observer = new RecordingObserver();
        engine.Start(Rows.Request(1, new ToySchedule(5), observer));
        await observer.Completed;
        await engine.DisposeAsync();

        Assert.Equal(5, sums["taba.engine.evaluations"]);
        Assert.Equal(15, sums["taba.engine.padding"]);
        Assert.Equal(1.25, sums["taba.engine.batch.utilization"]);
        Assert.Equal(0, sums["taba.engine.slot.usage"]);
        Assert.InRange(sums["taba.engine.network.duration"], double.Epsilon, sums["taba.engine.turn.duration"]);
        Assert.False(sums.ContainsKey("taba.engine.out_of_memory"));
    }
}
