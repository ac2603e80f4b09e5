using System.Collections.Immutable;
using Taba.Grains.Dispatch;
using Taba.Grains.Silos;
using Taba.Grains.Stages;
using Taba.Silo.Engines;
using Taba.Silo.Workers;
using Taba.Testing.Stores;

namespace Taba.Silo.Tests.Workers;

/// <summary>How many rows a worker asks for.</summary>
public sealed class WorkerRoomTests
{
    /// <summary>A part has 32 rows: one runs, and the next is there when it ends, however small the batches are.</summary>
    [Theory]
    [InlineData(4, 1, 2)]
    [InlineData(8, 1, 2)]
    [InlineData(16, 1, 2)]
    [InlineData(32, 1, 3)]
    [InlineData(64, 1, 6)]
    [InlineData(4, 2, 4)]
    [InlineData(16, 2, 4)]
    public void Rows_PartsOneAfterTheOther_AreAskedForUntilTheNextOneWaits(int batchSize, int devices, int parts)
    {
        var held = new HeldParts();
        var room = new WorkerRoom(new Device(batchSize * devices, devices), new(SiloRole.Worker), held);
        for (var part = 0; part < parts; part++)
        {
            Assert.True(room.Rows > 0, $"only {part} parts");
            held.Add(new(StoreExamples.Attempt(), StoreExamples.Spec(), new(32 * part, 32 * (part + 1)), CaptureSelection.None, false), 0);
        }
        Assert.True(room.Rows <= 0, $"room for {room.Rows} rows more");
    }

    [Fact]
    public void Rows_SiloWithoutDevice_AsksForNone() =>
        Assert.Equal(0, new WorkerRoom(new Device(16, 1), new(SiloRole.Coordinator), new()).Rows);

    sealed class Device(int batchSize, int devices) : IEngineCapacity
    {
        public int Devices => devices;

        public int Slots => 2 * batchSize;

        public int BatchSize => batchSize;

        public int AutoencoderParts => 2;

        public bool CanWork => true;

        public ImmutableArray<ResidentEngine> Loaded => [];
    }
}
