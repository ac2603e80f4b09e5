using System.Buffers.Binary;
using System.Text;
using Taba.Diffusion.Tensors;
using Taba.Diffusion.Weights;
using Taba.Diffusion.Weights.Pickle;
using Taba.Testing;

namespace Taba.Diffusion.Tests.Weights;

/// <summary>Damaged and malicious files: each gives one clear error, quickly and without memory.</summary>
public sealed class HostileFileTests : IDisposable
{
    static readonly byte[] s_sixFloats = CheckpointBytes.Floats(0, 1, 2, 3, 4, 5);

    readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("""{"a":{"dtype":"F32","shape":[1152921504606846976],"data_offsets":[0,24]}}""", "more elements than any file")]
    [InlineData("""{"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,24]}}""", "more elements than any file")]
    [InlineData("""{"a":{"dtype":"F32","shape":[0,4611686018427387904,4],"data_offsets":[0,0]}}""", "more elements than any file")]
    [InlineData("""{"a":{"dtype":"F32","shape":[-6],"data_offsets":[0,24]}}""", "negative length")]
    [InlineData("""{"a":{"dtype":"F32","shape":[5],"data_offsets":[0,24]}}""", "does not fill")]
    [InlineData("""{"a":{"dtype":"F32","shape":[7],"data_offsets":[0,28]}}""", "cut short")]
    [InlineData("""{"a":{"dtype":"F32","shape":[6],"data_offsets":[24,0]}}""", "cut short")]
    [InlineData("""{"a":{"dtype":"F32","shape":[6],"data_offsets":[-24,0]}}""", "cut short")]
    [InlineData("""{"a":{"dtype":"F32","shape":[4],"data_offsets":[0,16]},"b":{"dtype":"F32","shape":[4],"data_offsets":[8,24]}}""",
        "overlaps")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[2],"data_offsets":[16,24]}}""",
        "leaves a gap")]
    [InlineData("""{"a":{"dtype":"F32","shape":[4],"data_offsets":[0,16]}}""", "8 bytes follow")]
    [InlineData("""{"a":{"dtype":"F32","shape":[6],"data_offsets":[0,24]},"a":{"dtype":"F32","shape":[6],"data_offsets":[0,24]}}""",
        "not valid JSON")]
    [InlineData("""{"a":{"dtype":"F8_E4M3","shape":[24],"data_offsets":[0,24]}}""", "F8_E4M3")]
    [InlineData("""{"a":{"dtype":"F32","shape":[6.0],"data_offsets":[0,24]}}""", "lacks a valid dtype")]
    [InlineData("""{"a":{"dtype":"F32","shape":"6","data_offsets":[0,24]}}""", "lacks a valid dtype")]
    [InlineData("""{"a":[]}""", "lacks a valid dtype")]
    [InlineData("""{"a":{"a":{"a":{"a":{"a":{"a":{"a":{"a":{"a":1}}}}}}}}}""", "not valid JSON")]
    [InlineData("""{"\ud800":{"dtype":"F32","shape":[6],"data_offsets":[0,24]}}""", "not valid JSON")]
    [InlineData("""{"a":""", "not valid JSON")]
    public void Safetensors_WrongHeader_IsRefused(string header, string fault) =>
        Refuses(CheckpointBytes.Safetensors(header, s_sixFloats), fault);

    [Theory]
    [InlineData(long.MaxValue)]
    [InlineData(-1)]
    [InlineData(100_000_001)]
    [InlineData(1_000_000)]
    public void Safetensors_HeaderLongerThanAllowed_IsRefused(long length)
    {
        var file = CheckpointBytes.Safetensors("{}", s_sixFloats);
        BinaryPrimitives.WriteInt64LittleEndian(file, length);
        Refuses(file, "header");
    }

    [Theory]
    [InlineData("posix", "system")]
    [InlineData("builtins", "eval")]
    [InlineData("torch", "load")]
    [InlineData("torch.storage", "_load_from_bytes")]
    [InlineData("torch.nn.modules.linear", "Linear")]
    public void Pickle_UnknownGlobal_IsRefusedByName(string module, string name)
    {
        var pickle = new PickleBuilder().Global(module, name).Op(PickleOpcode.MARK).Text("true").Op(PickleOpcode.TUPLE).Op(
            PickleOpcode.REDUCE).Stop();
        Refuses(CheckpointBytes.TorchZip(pickle), $"'{module}.{name}'");
        Refuses(CheckpointBytes.TorchLegacy(pickle, 4), $"'{module}.{name}'");
    }

    [Theory]
    [InlineData((byte)'i')]
    [InlineData((byte)'o')]
    [InlineData((byte)'I')]
    [InlineData((byte)'0')]
    [InlineData(0x81)]
    [InlineData(0x97)]
    [InlineData(0x98)]
    [InlineData(0xff)]
    public void Pickle_UnknownOpcode_IsRefusedByNumber(byte opcode) =>
        Refuses(CheckpointBytes.TorchZip(new PickleBuilder().Raw(opcode).Stop()), $"opcode 0x{opcode:x2} at 2");

    [Theory]
    [InlineData(1L << 60, 6L, 1L, 0L, "more elements than")]
    [InlineData(7, 6, 1, 0, "more elements than")]
    [InlineData(1L << 40, 6, 0, 0, "repeats 1 elements to 4398046511104 bytes")]
    [InlineData(3, 6, 0, 6, "reaches beyond")]
    [InlineData(6, 6, 1, 1, "reaches beyond")]
    [InlineData(3, 6, 3, 0, "reaches beyond")]
    [InlineData(3, 6, long.MaxValue, 0, "reaches beyond")]
    [InlineData(3, 6, -1, 5, "negative stride")]
    [InlineData(3, 6, 1, -1, "begins at element -1")]
    [InlineData(3, 6, 1, long.MaxValue, "begins at element")]
    [InlineData(-3, 6, 1, 0, "negative length")]
    [InlineData(3, 1L << 60, 1, 0, "storage 'k'")]
    [InlineData(3, -1, 1, 0, "storage 'k'")]
    [InlineData(3, 5, 1, 0, "storage 'k'")]
    public void Torch_TensorThatDoesNotFit_IsRefused(long length, long storageElements, long stride, long first, string fault)
    {
        Refuses(CheckpointBytes.TorchZip(
            new PickleBuilder().Tensor("k", storageElements, [length], [stride], first).Stop(), ("k", s_sixFloats)), fault);
        Refuses(
            CheckpointBytes.TorchLegacy(
                new PickleBuilder().Tensor("k", storageElements, [length], [stride], first, legacy: true).Stop(), 4, ("k", s_sixFloats)),
            fault);
    }

    [Fact]
    public void Torch_MoreStridesThanAxes_IsRefused() =>
        Refuses(
            CheckpointBytes.TorchZip(new PickleBuilder().Tensor("k", 6, [2, 3], [3]).Stop(), ("k", s_sixFloats)), "2 axes but 1 strides");

    [Fact]
    public void Torch_MissingStorage_IsRefused() =>
        Refuses(CheckpointBytes.TorchZip(
            new PickleBuilder().Tensor("../../k", 6, [6], [1]).Stop(), ("k", s_sixFloats)), "storage '../../k' is missing");

    [Fact]
    public void Torch_TrainingState_SaysWhatToSave()
    {
        var pickle = new PickleBuilder().Op(PickleOpcode.EMPTY_DICT)
            .Text("state_dict").Op(PickleOpcode.EMPTY_DICT).Op(PickleOpcode.SETITEM).Stop();
        Refuses(CheckpointBytes.TorchZip(pickle), "'state_dict' is a dictionary");
    }

    [Fact]
    public void Torch_TrainingStateWithNumbers_NamesTheEntriesThatHoldWeights()
    {
        var pickle = new PickleBuilder().Op(PickleOpcode.EMPTY_DICT)
            .Text("lr").Op(PickleOpcode.BINFLOAT).Raw(0x3f, 0xf0, 0, 0, 0, 0, 0, 0).Op(PickleOpcode.SETITEM)
            .Text("model").Op(PickleOpcode.EMPTY_DICT).Text("w").Tensor("k", 6, [6], [1]).Op(PickleOpcode.SETITEM).Op(PickleOpcode.SETITEM)
            .Text("ema").Op(PickleOpcode.EMPTY_DICT).Text("w").Tensor("k", 6, [6], [1]).Op(PickleOpcode.SETITEM).Op(PickleOpcode.SETITEM)
            .Stop();
        Refuses(CheckpointBytes.TorchZip(pickle, ("k", s_sixFloats)), "its entries 'model', 'ema' hold weights: save one alone");
    }

    [Fact]
    public void Torch_OptimizerState_SaysThatItHoldsNoWeights()
    {
        var pickle = new PickleBuilder().Op(PickleOpcode.EMPTY_DICT)
            .Text("state").Op(PickleOpcode.EMPTY_DICT)
            .Integer(0).Op(PickleOpcode.EMPTY_DICT).Text("step").Tensor("k", 6, [6], [1]).Op(PickleOpcode.SETITEM).Op(PickleOpcode.SETITEM)
            .Op(PickleOpcode.SETITEM)
            .Text("param_groups").Op(PickleOpcode.EMPTY_LIST).Op(PickleOpcode.SETITEM).Stop();
        Refuses(CheckpointBytes.TorchZip(pickle, ("k", s_sixFloats)), "the state of an optimizer");
    }

    [Fact]
    public void Torch_NumberBesideTensors_IsNamed()
    {
        var pickle = new PickleBuilder().Op(PickleOpcode.EMPTY_DICT)
            .Text("w").Tensor("k", 6, [6], [1]).Op(PickleOpcode.SETITEM)
            .Text("lr").Integer(3).Op(PickleOpcode.SETITEM).Stop();
        Refuses(CheckpointBytes.TorchZip(pickle, ("k", s_sixFloats)), "its entry 'lr' is a number, not a tensor");
    }

    [Theory]
    [InlineData("neg")]
    [InlineData("conj")]
    [InlineData("whatever comes")]
    public void Torch_MarkThatChangesValues_IsRefused(string mark)
    {
        var pickle = new PickleBuilder().Tensor("k", 6, [6], [1], mark: mark).Stop();
        Refuses(CheckpointBytes.TorchZip(pickle, ("k", s_sixFloats)), $"the mark '{mark}'");
    }

    [Fact]
    public void Pickle_ContainsItself_IsRefused()
    {
        var pickle = new PickleBuilder().Op(PickleOpcode.EMPTY_DICT).Op(PickleOpcode.BINPUT).Raw(0)
            .Text("a").Op(PickleOpcode.BINGET).Raw(0).Op(PickleOpcode.SETITEM).Stop();
        Refuses(CheckpointBytes.TorchZip(pickle), "'a' is a dictionary");
    }

    [Fact]
    public void Pickle_DeepNesting_IsRefused()
    {
        var pickle = new PickleBuilder();
        for (var i = 0; i < 1_000_000; i++)
            pickle.Op(PickleOpcode.EMPTY_TUPLE).Op(PickleOpcode.TUPLE1);
        Refuses(CheckpointBytes.TorchZip(pickle.Stop()), "values left over");
    }

    [Theory]
    [InlineData((byte)PickleOpcode.EMPTY_DICT)]
    [InlineData((byte)PickleOpcode.MARK)]
    [InlineData((byte)PickleOpcode.EMPTY_LIST)]
    public void Pickle_ManyValues_IsRefusedBeforeMemoryGrows(byte opcode)
    {
        var pickle = new PickleBuilder();
        for (var i = 0; i < 3_000_000; i++)
            pickle.Raw(opcode);
        Refuses(CheckpointBytes.TorchZip(pickle.Stop()), "more than");
    }

    [Fact]
    public void Pickle_LongShapeUsedManyTimes_IsRefused()
    {
        // Each tensor copies its shape: 100,000 lengths, 100,000 times, would be 80 GB.
        var pickle = new PickleBuilder().Op(PickleOpcode.MARK);
        for (var i = 0; i < 100_000; i++)
            pickle.Op(PickleOpcode.BININT1).Raw(1);
        pickle.Op(PickleOpcode.TUPLE).Op(PickleOpcode.BINPUT).Raw(0);
        pickle.Global("torch._utils", "_rebuild_tensor_v2").Op(PickleOpcode.MARK)
            .Op(PickleOpcode.MARK).Text("storage").Global("torch", "FloatStorage").Text("k").Text("cpu").Integer(6).Op(
                PickleOpcode.TUPLE).Op(PickleOpcode.BINPERSID)
            .Integer(0).Op(PickleOpcode.BINGET).Raw(0).Op(PickleOpcode.BINGET).Raw(0).Op(PickleOpcode.NEWFALSE)
            .Op(PickleOpcode.EMPTY_DICT).Op(PickleOpcode.TUPLE).Op(PickleOpcode.REDUCE);
        Refuses(CheckpointBytes.TorchZip(pickle.Stop(), ("k", s_sixFloats)), "arguments that torch.save does not write");
    }

    [Fact]
    public void Pickle_TextLongerThanTheFile_IsRefused() =>
        Refuses(
            CheckpointBytes.TorchZip(new PickleBuilder().Op(PickleOpcode.BINUNICODE).Raw(255, 255, 255, 255).Stop()), "ends in the middle");

    [Fact]
    public void Zip_CompressedEntry_IsRefused() => Refuses(WithCentral((record, _) => record[10] = 8), "compressed");

    [Fact]
    public void Zip_EncryptedEntry_IsRefused() => Refuses(WithCentral((record, _) => record[8] = 1), "encrypted");

    [Fact]
    public void Zip_EntryOutsideTheArchive_IsRefused() =>
        Refuses(WithCentral((record, _) => record.AsSpan(42, 4).Fill(0xfe)), "outside the archive");

    [Fact]
    public void Zip_EntryLongerThanTheArchive_IsRefused() =>
        Refuses(WithCentral((record, _) => record.AsSpan(20, 8).Fill(0x7e)), "outside the archive");

    [Fact]
    public void Zip_EntryWithoutZip64Sizes_IsRefused() =>
        Refuses(WithCentral((record, _) => record.AsSpan(20, 8).Fill(0xff)), "zip64 sizes");

    [Fact]
    public void Zip_EntriesThatOverlap_AreRefused() =>
        Refuses(WithCentral((record, first) => BinaryPrimitives.WriteInt32LittleEndian(record.AsSpan(42), first)), "overlaps");

    [Fact]
    public void Zip_WithoutPickle_IsRefused()
    {
        var zip = new StoredZipWriter();
        zip.AddEntry("arr_0.npy", "x"u8);
        zip.WriteDirectory();
        Refuses(zip.Take(), "an archive of numpy (.npz) of arr_0.npy");
    }

    [Fact]
    public void Zip_SameNameTwice_IsRefused()
    {
        var zip = new StoredZipWriter();
        zip.AddEntry("a/data.pkl", new PickleBuilder().Tensor("k", 6, [6], [1]).Stop());
        zip.AddEntry("a/data/k", s_sixFloats);
        zip.AddEntry("a/data/k", s_sixFloats);
        zip.WriteDirectory();
        Refuses(zip.Take(), "twice");
    }

    [Fact]
    public void Zip_BigEndian_IsRefused()
    {
        var zip = new StoredZipWriter();
        zip.AddEntry("a/data.pkl", new PickleBuilder().Tensor("k", 6, [6], [1]).Stop());
        zip.AddEntry("a/byteorder", "big"u8);
        zip.AddEntry("a/data/k", s_sixFloats);
        zip.WriteDirectory();
        Refuses(zip.Take(), "'big'");
    }

    [Theory]
    [InlineData("{'descr': '|O', 'fortran_order': False, 'shape': (6,), }", "'|O'")]
    [InlineData("{'descr': '>f4', 'fortran_order': False, 'shape': (6,), }", "'>f4'")]
    [InlineData("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (6,), }", "records and objects")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (1152921504606846976,), }", "more elements than any file")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,), }", "not a list of lengths")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (5,), }", "does not fill")]
    public void Npy_WrongHeader_IsRefused(string header, string fault) =>
        Refuses([0x93, .. "NUMPY\u0001\0"u8, (byte)header.Length, 0, .. Encoding.ASCII.GetBytes(header), .. s_sixFloats], fault);

    [Theory]
    [InlineData("", "it is empty")]
    [InlineData("hello, world, this is text", "it is neither safetensors, nor")]
    [InlineData("P", "it is neither safetensors, nor")]
    [InlineData("PK", "has no zip directory")]
    [InlineData("<html><body>not found</body></html>", "it is a web page")]
    [InlineData("\uFEFF\n<!DOCTYPE html>", "it is a web page")]
    [InlineData("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n", "'git lfs pull'")]
    [InlineData("../../../blobs/0000", "it holds a path as text")]
    [InlineData("{\"family\": \"adm\"}", "it is JSON text, not weights")]
    public void Open_NotATensorFile_IsRefused(string text, string fault) => Refuses(Encoding.UTF8.GetBytes(text), fault);

    [Fact]
    public void Open_Folder_IsRefused() =>
        Assert.Contains("folder", Assert.Throws<WeightsFormatException>(
            () => WeightsFile.Open(_folder.Path).Dispose()).Message, StringComparison.Ordinal);

    void Refuses(byte[] file, string fault)
    {
        var path = _folder.Write("hostile", file);
        var error = Assert.Throws<WeightsFormatException>(() => TensorFile.Open(path).Dispose());
        Assert.Contains(fault, error.Fault, StringComparison.Ordinal);
        Assert.Contains(path, error.Message, StringComparison.Ordinal);
        Assert.Throws<WeightsFormatException>(() => WeightsFile.Open(path).Dispose());
    }

    /// <summary>
    /// A good archive whose directory record of the storage is changed; the action also gets the position of the first entry.
    /// </summary>
    static byte[] WithCentral(Action<byte[], int> change)
    {
        var file = CheckpointBytes.TorchZip(new PickleBuilder().Tensor("k", 6, [6], [1]).Stop(), ("k", s_sixFloats));
        var name = file.AsSpan().LastIndexOf("some folder/data/k"u8);
        var record = file[(name - 46)..name];
        change(record, 0);
        record.CopyTo(file, name - 46);
        return file;
    }
}
