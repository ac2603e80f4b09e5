using System.Globalization;
using Taba.Grains.Stages;
using Taba.Silo.Checkpoints;
using Taba.Silo.Tests.Storage;

namespace Taba.Silo.Tests.Checkpoints;

/// <summary>What the next process finds, whatever a kill or a disk did to the files.</summary>
public sealed class SegmentRecoveryTests : CheckpointExamples
{
    [Fact]
    public async Task Put_AfterReopening_ContinuesTheChain()
    {
        for (var step = 1; step <= 4; step++)
        {
            await using var store = Open();
            await store.PutAsync(Record(0, step, [step - 1]), None);
        }
        await using var last = Open();
        AssertIs(last.Find(Key, 0), 0, 4, [0, 1, 2, 3]);
        Assert.Equal(4, Segments.Length);
    }

    [Fact]
    public async Task Open_TailTornAtAnyByte_KeepsEverythingBeforeIt()
    {
        await using (var store = Open())
        {
            await store.PutAsync(Record(0, 5, [4]), None);
            await store.PutAsync(Record(1, 5), None);
            await store.FlushAsync(None);
        }
        var whole = await File.ReadAllBytesAsync(Segments[0]);
        var last = SegmentFormat.Size(Record(0, 10, [9]));
        File.Delete(Segments[0]);
        await using (var store = Open())
        {
            await store.PutAsync(Record(0, 5, [4]), None);
            await store.PutAsync(Record(1, 5), None);
            await store.PutAsync(Record(0, 10, [9]), None);
        }
        var bytes = await File.ReadAllBytesAsync(Segments[0]);
        Assert.Equal(whole.Length + last, bytes.Length);
        Assert.Equal(whole, bytes[..whole.Length]);

        for (var length = whole.Length; length <= bytes.Length; length++)
        {
            using var folder = new TestFolder();
            Directory.CreateDirectory(folder["checkpoints"]);
            await File.WriteAllBytesAsync(folder["checkpoints", "0000000000000000001-0000.seg"], bytes[..length]);
            await using var torn = new SegmentCheckpointStore(folder.Path);
            AssertIs(torn.Find(Key, 1), 1, 5, []);
            if (length < bytes.Length)
                AssertIs(torn.Find(Key, 0), 0, 5, [4]);
            else
                AssertIs(torn.Find(Key, 0), 0, 10, [4, 9]);
            // Work goes on from there, in a file of its own.
            await torn.PutAsync(Record(1, 6), None);
            await torn.FlushAsync(None);
            AssertIs(torn.Find(Key, 1), 1, 6, []);
        }
    }

    [Fact]
    public async Task Open_AnyByteOfTheLastRecordFlipped_KeepsEverythingBeforeIt()
    {
        await using (var store = Open())
        {
            await store.PutAsync(Record(0, 5, [4]), None);
            await store.PutAsync(Record(0, 10, [9]), None);
        }
        var bytes = await File.ReadAllBytesAsync(Segments[0]);
        var last = SegmentFormat.Size(Record(0, 10, [9]));
        for (var at = bytes.Length - last; at < bytes.Length; at++)
        {
            using var folder = new TestFolder();
            Directory.CreateDirectory(folder["checkpoints"]);
            var damaged = (byte[])bytes.Clone();
            damaged[at] ^= 0x80;
            await File.WriteAllBytesAsync(folder["checkpoints", "0000000000000000001-0000.seg"], damaged);
            await using var store = new SegmentCheckpointStore(folder.Path);
            AssertIs(store.Find(Key, 0), 0, 5, [4]);
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(7)]
    [InlineData(16)]
    public async Task Open_FileWithoutARecord_IsDeleted(int length)
    {
        Directory.CreateDirectory(_folder["checkpoints"]);
        await File.WriteAllBytesAsync(_folder["checkpoints", "0000000000000000001-0000.seg"], SegmentFormat.FileHeader()[..length]);
        await using var store = Open();
        Assert.Empty(Segments);
    }

    [Fact]
    public async Task Open_MiddleOfAChainLost_GoesOnFromBeforeTheGap()
    {
        for (var step = 1; step <= 3; step++)
        {
            await using var store = Open();
            await store.PutAsync(Record(0, step, [step - 1]), None);
            // A file per record, also where the next one would do: another sample keeps each file alive.
            await store.PutAsync(Record(10 + step, 1), None);
        }
        File.Delete(Segments[1]);
        await using var again = Open();
        AssertIs(again.Find(Key, 0), 0, 1, [0]);
    }

    [Fact]
    public async Task Find_RecordDamagedAfterOpening_GivesWhatIsBeforeItAndTheChainGoesOnThere()
    {
        await using var store = Open();
        await store.PutAsync(Record(0, 1, [0]), None);
        await store.PutAsync(Record(0, 2, [1]), None);
        await store.FlushAsync(None);
        using (var file = File.Open(Segments[0], FileMode.Open, FileAccess.Write, FileShare.ReadWrite))
        {
            file.Position = file.Length - 1;
            file.WriteByte(0);
        }
        AssertIs(store.Find(Key, 0), 0, 1, [0]);
        await store.PutAsync(Record(0, 2, [1]), None);
        await store.FlushAsync(None);
        AssertIs(store.Find(Key, 0), 0, 2, [0, 1]);
    }

    [Fact]
    public async Task Forget_ThenReopen_StaysForgottenAndWhatCameAfterStays()
    {
        await using (var store = Open())
        {
            await store.PutAsync(Record(0, 5, [0]), None);
            await store.PutAsync(Record(1, 5), None);
            await store.PutAsync(Record(2, 5), None);
            store.Forget(Key, new(0, 2));
            await store.PutAsync(Record(1, 2, [1], "k2"), None);
        }
        for (var start = 0; start < 2; start++)
        {
            await using var again = Open();
            Assert.Null(again.Find(Key, 0));
            AssertIs(again.Find(Key, 1), 1, 2, [1], "k2");
            AssertIs(again.Find(Key, 2), 2, 5, []);
        }
        await using (var last = Open())
            last.Forget(Key, new(1, 3));
        Assert.Empty(Segments);
        await using (Open())
            Assert.Empty(Directory.GetFiles(_folder["checkpoints"]));
    }

    [Theory]
    [InlineData("")]
    [InlineData("nonsense")]
    [InlineData("abcdef0123456789 0 1 0000000000000000001-0000.seg 99999")]
    [InlineData("abcdef0123456789 0 99999999999 0000000000000000001-0000.seg 9 .\n\0\0")]
    public async Task Open_DamagedListOfForgotten_OnlyCostsDisk(string text)
    {
        await using (var store = Open())
            await store.PutAsync(Record(0, 5, [0]), None);
        await File.WriteAllTextAsync(_folder["checkpoints", "forgotten"], text);
        await using var again = Open();
        AssertIs(again.Find(Key, 0), 0, 5, [0]);
    }

    [Theory]
    [InlineData(7)]
    [InlineData(8)]
    [InlineData(9)]
    public async Task Open_RandomHistories_AgreesWithASimpleModel(int seed)
    {
        var random = new Random(seed);
        var model = new Dictionary<int, (string Keep, int Next, List<int> Captured)>();
        var store = Open(segmentBytes: 500);
        for (var i = 0; i < 600; i++)
        {
            var sample = random.Next(4);
            switch (random.Next(12))
            {
                case 0:
                    store.Forget(Key, new(sample, sample + 1));
                    model.Remove(sample);
                    break;
                case 1:
                    await store.DisposeAsync();
                    store = Open(segmentBytes: 500);
                    break;
                default:
                    var keep = random.Next(10) == 0 ? "k2" : model.TryGetValue(sample, out var known) ? known.Keep : "k1";
                    var continues = model.TryGetValue(sample, out var old) && old.Keep == keep;
                    var next = continues ? old.Next + 1 : 1;
                    int[] captured = random.Next(2) == 0 ? [next - 1] : [];
                    await store.PutAsync(Record(sample, next, captured, keep), None);
                    model[sample] = (keep, next, [.. continues ? old.Captured : [], .. captured]);
                    break;
            }
            if (model.TryGetValue(sample, out var expected))
                AssertIs(store.Find(Key, sample), sample, expected.Next, [.. expected.Captured], expected.Keep);
            else
                Assert.Null(store.Find(Key, sample));
        }
        await store.DisposeAsync();
        Assert.True(Segments.Length < 100, string.Create(CultureInfo.InvariantCulture, $"{Segments.Length} files are left"));
    }
}
