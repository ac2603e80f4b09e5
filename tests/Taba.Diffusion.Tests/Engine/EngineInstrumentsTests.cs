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
                sums.AddOrUpdate(Key(instrument, tags), value, (_, sum) => sum + value);
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
        listener.RecordObservableInstruments();
        Assert.InRange(sums["taba.engine.time idle"], double.Epsilon, 60);
        Assert.Equal(engine.Statistics.NetworkTime.TotalSeconds, sums["taba.engine.time network"], 1e-6);
        Assert.Equal(engine.Statistics.Slots, sums["taba.engine.slot.limit"]);
        await engine.DisposeAsync();

        Assert.Equal(5, sums["taba.engine.evaluations"]);
        Assert.Equal(15, sums["taba.engine.padding"]);
        Assert.Equal(1.25, sums["taba.engine.batch.utilization"]);
        Assert.Equal(0, sums["taba.engine.slot.usage"]);
        Assert.InRange(sums["taba.engine.network.duration"], double.Epsilon, sums["taba.engine.turn.duration"]);
        Assert.Equal(1, sums["taba.trajectory.ended completed"]);
        Assert.Equal(0, sums["taba.engine.out_of_memory"]);
    }

    [Fact]
    public async Task EngineTime_OfAnEngineThatWaits_GrowsByItsIdleTimeAndOutlivesIt()
    {
        var name = Guid.NewGuid().ToString();
        using var model = new ToyDenoiser(Rows.Shape);
        var engine = new DenoisingEngine(model, new EngineOptions { Name = name });
        double first;
        while ((first = Idle(name)) == 0)
            await Task.Yield();
        double second;
        while ((second = Idle(name)) == first)
            await Task.Yield();
        await engine.DisposeAsync();

        Assert.InRange(second, first, double.MaxValue);
        Assert.InRange(Idle(name), second, double.MaxValue);
        Assert.Equal(Idle(name), Idle(name));
    }

    static double Idle(string model)
    {
        var idle = 0.0;
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, listener) =>
            {
                if (instrument.Name == "taba.engine.time")
                    listener.EnableMeasurementEvents(instrument);
            },
        };
        listener.SetMeasurementEventCallback<double>((_, value, tags, _) =>
        {
            if (tags.Contains(new("taba.model", model)) && tags.Contains(new("taba.state", "idle")))
                idle += value;
        });
        listener.Start();
        listener.RecordObservableInstruments();
        return idle;
    }

    static string Key(Instrument instrument, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        foreach (var (tag, value) in tags)
        {
            if (tag is "taba.state" or "taba.outcome")
                return $"{instrument.Name} {value}";
        }
        return instrument.Name;
    }
}
