using Taba.Diffusion.Tensors;
using Taba.Diffusion.Weights;
using Taba.Diffusion.Weights.Pickle;
using Taba.Testing;

namespace Taba.Diffusion.Tests.Weights;

/// <summary>
/// Damage of any kind at any place: a file is read, or refused with <see cref="WeightsFormatException"/>; nothing else happens.
/// </summary>
public sealed class DamagedFileTests
{
    static readonly byte[] s_sixFloats = CheckpointBytes.Floats(0, 1, 2, 3, 4, 5);

    public static TheoryData<string> Formats => ["safetensors", "zip", "legacy", "npy", "pt"];

    [Theory]
    [MemberData(nameof(Formats))]
    public void Open_TruncatedAnywhere_IsRefused(string format)
    {
        using var folder = new TempFolder();
        var whole = Example(folder, format);
        for (var length = 0; length < whole.Length; length++)
        {
            var path = folder.Write("damaged", whole.AsSpan(0, length));
            Assert.Throws<WeightsFormatException>(() => TensorFile.Open(path).Dispose());
        }
    }

    [Theory]
    [MemberData(nameof(Formats))]
    public void Open_BytesFlipped_IsReadOrRefused(string format)
    {
        using var folder = new TempFolder();
        var whole = Example(folder, format);
        var random = new Random(1);
        var refused = 0;
        for (var round = 0; round < 4000; round++)
        {
            byte[] damaged = [.. whole];
            for (var flips = random.Next(1, 5); flips > 0; flips--)
                damaged[random.Next(damaged.Length)] = (byte)random.Next(256);
            refused += ReadOrRefuse(folder.Write("damaged", damaged)) ? 0 : 1;
        }

        Assert.InRange(refused, 500, 4000);
    }

    [Fact]
    public void Open_RealCheckpointsWithFlippedBytes_AreReadOrRefused()
    {
        using var folder = new TempFolder();
        var random = new Random(2);
        foreach (var path in Directory.EnumerateFiles(Fixtures.At("models/adm"), "*.pt", SearchOption.AllDirectories))
        {
            // The structure lies in the first and last 20 KB; the middle is data.
            var whole = File.ReadAllBytes(path);
            var copy = folder.Write("damaged", whole);
            using var file = File.OpenHandle(copy, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
            for (var round = 0; round < 100; round++)
            {
                var at = random.Next(20_000);
                at = round % 2 == 0 ? at : whole.Length - 1 - at;
                RandomAccess.Write(file, [(byte)random.Next(256)], at);
                try
                {
                    TensorFile.Open(copy).Dispose();
                }
                catch (WeightsFormatException)
                {
                    // What is asked for.
                }

                RandomAccess.Write(file, whole.AsSpan(at, 1), at);
            }
        }
    }

    [Fact]
    public void Pickle_RandomOpcodes_AreReadOrRefused()
    {
        var random = new Random(3);
        var rules = new StateDictRules(fault => new WeightsFormatException("x", fault));
        PickleOpcode[] opcodes = [.. rules.Opcodes.Order()];
        for (var round = 0; round < 50_000; round++)
        {
            var pickle = new PickleBuilder();
            for (var length = random.Next(20); length > 0; length--)
                Append(pickle, opcodes[random.Next(opcodes.Length)], random);
            try
            {
                new PickleReader(pickle.Stop(), 0, rules).Read();
            }
            catch (WeightsFormatException)
            {
                // What is asked for.
            }
        }
    }

    static void Append(PickleBuilder pickle, PickleOpcode opcode, Random random)
    {
        switch (opcode)
        {
            case PickleOpcode.GLOBAL:
                pickle.Global("torch._utils", "_rebuild_tensor_v2");
                break;
            case PickleOpcode.BINUNICODE:
                pickle.Text("storage");
                break;
            case PickleOpcode.BINPERSID:
                pickle.Tensor("k", random.Next(10), [random.Next(10)], [random.Next(3)]);
                break;
            case PickleOpcode.BINPUT or PickleOpcode.BINGET or PickleOpcode.BININT1:
                pickle.Op(opcode).Raw((byte)random.Next(4));
                break;
            default:
                pickle.Op(opcode);
                break;
        }
    }

    static byte[] Example(TempFolder folder, string format)
    {
        switch (format)
        {
            case "safetensors":
                return CheckpointBytes.Safetensors(
                    """{"a":{"dtype":"F32","shape":[2,2],"data_offsets":[0,16]},"b":{"dtype":"F16","shape":[4],"data_offsets":[16,24]}}""",
                    s_sixFloats);
            case "zip":
                return CheckpointBytes.TorchZip(Dictionary(legacy: false), ("k", s_sixFloats));
            case "legacy":
                return CheckpointBytes.TorchLegacy(Dictionary(legacy: true), 4, ("k", s_sixFloats));
            default:
                using (var writer = TensorFileWriter.Create(
                    folder.At("example"), format == "pt"
                        ? TensorFormat.Pt
                        : TensorFormat.Npy, "a", TorchSharp.torch.ScalarType.Float32, [2, 3]))
                {
                    writer.Write(s_sixFloats);
                    writer.Complete();
                }

                return File.ReadAllBytes(folder.At("example"));
        }
    }

    static byte[] Dictionary(bool legacy) =>
        new PickleBuilder().Op(PickleOpcode.EMPTY_DICT).Op(PickleOpcode.BINPUT).Raw(0).Op(PickleOpcode.MARK)
        .Text("a").Tensor("k", 6, [3, 2], [1, 3], legacy: legacy)
        .Text("b").Tensor("k", 6, [2], [1], first: 2, legacy: legacy)
        .Op(PickleOpcode.SETITEMS).Stop();

    /// <summary>Reads all of a file; false when it was refused.</summary>
    static bool ReadOrRefuse(string path)
    {
        try
        {
            using var file = TensorFile.Open(path);
            foreach (var name in file.Names)
                FixtureTensors.Bytes(file.Tensor(name));
            return true;
        }
        catch (WeightsFormatException)
        {
            return false;
        }
    }
}
