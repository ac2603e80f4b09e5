using Taba.Diffusion.Native;
using Taba.Diffusion.Tensors;
using Taba.Diffusion.Weights;
using Taba.Diffusion.Weights.Pickle;
using Taba.Testing;
using TorchSharp;
using static TorchSharp.torch;

namespace Taba.Diffusion.Tests.Weights;

public sealed class WeightsFileTests
{
    static readonly byte[] s_sixFloats = CheckpointBytes.Floats(0, 1, 2, 3, 4, 5);

    [Theory]
    [InlineData(ScalarType.Float32)]
    [InlineData(ScalarType.Float16)]
    [InlineData(ScalarType.Float64)]
    [InlineData(ScalarType.Int64)]
    public void Load_AnotherDtype_Converts(ScalarType wanted)
    {
        using var folder = new TempFolder();
        using var weights = WeightsFile.Open(folder.Write(
            "w", CheckpointBytes.Safetensors("""{"a":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]}}""", s_sixFloats)));
        using var scope = NewDisposeScope();

        var tensor = weights.Load("a", wanted, CPU);

        Assert.Equal(wanted, tensor.dtype);
        Assert.Equal([2L, 3L], tensor.shape);
        Assert.Equal([0f, 1, 2, 3, 4, 5], tensor.to_type(ScalarType.Float32).data<float>().ToArray());
    }

    [Fact]
    public void Load_BFloat16_Converts()
    {
        using var folder = new TempFolder();
        using var weights = WeightsFile.Open(folder.Write(
            "w", CheckpointBytes.Safetensors("""{"a":{"dtype":"BF16","shape":[2],"data_offsets":[0,4]}}""", 0x80, 0x3f, 0x40, 0xc0)));
        using var tensor = weights.Load("a", ScalarType.Float32, CPU);
        Assert.Equal([1f, -3f], tensor.data<float>().ToArray());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Open_StateDictThatIsTheOnlyEntry_IsWhatIsMeant(bool legacy)
    {
        var pickle = new PickleBuilder().Op(PickleOpcode.EMPTY_DICT).Text("state_dict").Op(PickleOpcode.EMPTY_DICT)
            .Text("a").Tensor("k", 6, [6], [1], legacy: legacy).Op(PickleOpcode.SETITEM).Op(PickleOpcode.SETITEM).Stop();
        using var folder = new TempFolder();
        using var weights = WeightsFile.Open(folder.Write("w", legacy
            ? CheckpointBytes.TorchLegacy(pickle, sizeof(float), ("k", s_sixFloats))
            : CheckpointBytes.TorchZip(pickle, ("k", s_sixFloats))));

        Assert.Equal(["a"], weights.Names);
        using var tensor = weights.Load("a", ScalarType.Float32, CPU);
        Assert.Equal([0f, 1, 2, 3, 4, 5], tensor.data<float>().ToArray());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Load_ExpandedTensor_RepeatsItsStorage(bool legacy)
    {
        var pickle = new PickleBuilder().Op(PickleOpcode.EMPTY_DICT)
            .Text("rows").Tensor("k", 6, [3, 2], [0, 1], first: 4, legacy: legacy).Op(PickleOpcode.SETITEM)
            .Text("one").Tensor("k", 6, [8], [0], first: 3, legacy: legacy).Op(PickleOpcode.SETITEM)
            .Stop();
        using var folder = new TempFolder();
        using var weights = WeightsFile.Open(folder.Write("w", legacy
            ? CheckpointBytes.TorchLegacy(pickle, 4, ("k", s_sixFloats))
            : CheckpointBytes.TorchZip(pickle, ("k", s_sixFloats))));
        using var scope = NewDisposeScope();

        Assert.Equal([4f, 5, 4, 5, 4, 5], weights.Load("rows", ScalarType.Float32, CPU).data<float>().ToArray());
        Assert.Equal(Enumerable.Repeat(3f, 8), weights.Load("one", ScalarType.Float32, CPU).data<float>().ToArray());
    }

    [Fact]
    public void Open_NewerProtocol_IsRead()
    {
        // What torch.save(x, pickle_protocol=4) writes: a frame, names from the stack, memos by number.
        static byte[] Short(string text) => [0x8c, (byte)text.Length, .. System.Text.Encoding.UTF8.GetBytes(text), 0x94];
        byte[] body =
        [
            .. Short("torch._utils"), .. Short("_rebuild_tensor_v2"), 0x93, 0x94, (byte)'(', (byte)'(', .. Short("storage"),
            .. Short("torch"), .. Short("FloatStorage"), 0x93, 0x94, .. Short("k"), .. Short("cpu"), (byte)'K', 6, (byte)'t',
            0x94, (byte)'Q', (byte)'K', 0, (byte)'K', 6, 0x85, 0x94,
            (byte)'K', 1, 0x85, 0x94, 0x89, .. Short("collections"), .. Short("OrderedDict"), 0x93, 0x94,
            (byte)')', (byte)'R', 0x94, (byte)'t', 0x94, (byte)'R', 0x94, (byte)'.',
        ];
        byte[] pickle = [0x80, 4, 0x95, .. BitConverter.GetBytes((long)body.Length), .. body];
        using var folder = new TempFolder();
        using var weights = WeightsFile.Open(folder.Write("x.pt", CheckpointBytes.TorchZip(pickle, ("k", s_sixFloats))));
        using var tensor = weights.Load("x", ScalarType.Float32, CPU);
        Assert.Equal([0f, 1, 2, 3, 4, 5], tensor.data<float>().ToArray());
    }

    [Theory]
    [InlineData("module.", "module.")]
    [InlineData("_orig_mod.", "_orig_mod.")]
    [InlineData("module._orig_mod.", "module._orig_mod.")]
    [InlineData("model.diffusion_model.", "model.diffusion_model.")]
    public void Open_NamesOfAWrapper_AreThoseOfTheNetwork(string first, string second)
    {
        using var folder = new TempFolder();
        using var weights = WeightsFile.Open(folder.Write("w", CheckpointBytes.Safetensors(
            $$$"""
            {"{{{first}}}a.weight":{"dtype":"F32","shape":[3],"data_offsets":[0,12]},
             "{{{second}}}b":{"dtype":"F32","shape":[3],"data_offsets":[12,24]}}
            """, s_sixFloats)));
        Assert.Equal(["a.weight", "b"], weights.Names);
    }

    [Fact]
    public void Open_PrefixOfSomeNames_Stays()
    {
        using var folder = new TempFolder();
        using var weights = WeightsFile.Open(folder.Write("w", CheckpointBytes.Safetensors(
            """{"module.a":{"dtype":"F32","shape":[3],"data_offsets":[0,12]},"b":{"dtype":"F32","shape":[3],"data_offsets":[12,24]}}""",
            s_sixFloats)));
        Assert.Equal(["module.a", "b"], weights.Names);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Load_TransposedViewsOfOneStorage_GivesEachItsValues(bool legacy)
    {
        var pickle = new PickleBuilder().Op(PickleOpcode.EMPTY_DICT)
            .Text("whole").Tensor("k", 6, [2, 3], [3, 1], legacy: legacy).Op(PickleOpcode.SETITEM)
            .Text("transposed").Tensor("k", 6, [3, 2], [1, 3], legacy: legacy).Op(PickleOpcode.SETITEM)
            .Text("column").Tensor("k", 6, [2], [3], first: 1, legacy: legacy).Op(PickleOpcode.SETITEM)
            .Text("scalar").Tensor("k", 6, [], [], first: 5, legacy: legacy).Op(PickleOpcode.SETITEM)
            .Stop();
        var file = legacy
            ? CheckpointBytes.TorchLegacy(pickle, 4, ("k", s_sixFloats))
            : CheckpointBytes.TorchZip(pickle, ("k", s_sixFloats));
        using var folder = new TempFolder();
        using var weights = WeightsFile.Open(folder.Write("w", file));
        using var scope = NewDisposeScope();

        Assert.Equal(["whole", "transposed", "column", "scalar"], weights.Names);
        Assert.Equal([0f, 1, 2, 3, 4, 5], Values("whole"));
        Assert.Equal([0f, 3, 1, 4, 2, 5], Values("transposed"));
        Assert.Equal([1f, 4], Values("column"));
        Assert.Equal([5f], Values("scalar"));
        Assert.Empty(weights.Load("scalar", ScalarType.Float32, CPU).shape);

        float[] Values(string name) => weights.Load(name, ScalarType.Float32, CPU).data<float>().ToArray();
    }

    [Fact]
    public void Load_AfterDispose_TensorIsACopy()
    {
        using var folder = new TempFolder();
        var path = folder.Write(
            "w", CheckpointBytes.Safetensors("""{"a":{"dtype":"F32","shape":[6],"data_offsets":[0,24]}}""", s_sixFloats));
        Tensor tensor;
        using (var weights = WeightsFile.Open(path))
            tensor = weights.Load("a", ScalarType.Float32, CPU);

        File.WriteAllBytes(path, new byte[10]);
        tensor.add_(Scalars.One, Scalars.One);
        Assert.Equal([1f, 2, 3, 4, 5, 6], tensor.data<float>().ToArray());
        tensor.Dispose();
    }

    [Fact]
    public void Load_LargerThanOneChunk_IsWhole()
    {
        const int Elements = (3 << 20) + 17;
        using var folder = new TempFolder();
        var values = new float[Elements];
        for (var i = 0; i < Elements; i++)
            values[i] = i;
        using (var writer = TensorFileWriter.Create(folder.At("w"), TensorFormat.Pt, "w", ScalarType.Float32, [Elements]))
        {
            writer.Write(CheckpointBytes.Floats(values));
            writer.Complete();
        }

        using var weights = WeightsFile.Open(folder.At("w"));
        using var tensor = weights.Load("w", ScalarType.Float64, CPU);
        using var scope = NewDisposeScope();
        using var end = Elements.ToScalar();
        var expected = arange(Scalars.Zero, end, Scalars.One, ScalarType.Float64);
        Assert.True(tensor.eq(expected).all().item<bool>());
    }

    [Fact]
    public void Load_UnknownName_Throws()
    {
        using var folder = new TempFolder();
        using var weights = WeightsFile.Open(folder.Write("w", CheckpointBytes.Safetensors("{}")));
        var error = Assert.Throws<KeyNotFoundException>(() => weights.Load("a", ScalarType.Float32, CPU));
        Assert.Contains("'a'", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Open_MissingFile_ThrowsIOException() => Assert.ThrowsAny<IOException>(() => WeightsFile.Open("no such file.pt").Dispose());
}
