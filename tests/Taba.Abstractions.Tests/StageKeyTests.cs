
namespace Taba.Abstractions.Tests;

/// <summary>Equal key, equal numbers: what must be in the key, what must not, and that keys of today are keys of tomorrow.</summary>
public sealed class StageKeyTests
{
    static readonly StageSpec Invert = TestStages.Invert;

    static readonly FileRows Conds = new("conds.safetensors", "digest-of-conds", 128);

    static readonly PromptRows Prompts = new("dataset", "/data", "digest-of-prompts", 10, 4, 128, RowByRow: false);

    /// <summary>A stage with everything set.</summary>
    static readonly StageSpec Full = Invert with
    {
        Swap = new(SwapKind.Xt, 10, new StageRows("source"), TestStages.Noise(42, 128)),
        Forward = new(3, TestStages.Noise(999, 128)),
        Conditions = Conds,
        Determinism = new(16, "cpu"),
    };

    public static TheoryData<string, StageSpec, StageSpec> Changes => new()
    {
        { "kind", Invert, Invert with { Kind = StageKind.Reconstruct } },
        { "weights", Invert, Invert with { Model = TestStages.Model with { Digest = "another" } } },
        { "height", Invert, Invert with { Model = TestStages.Model with { Height = 16 } } },
        { "width", Invert, Invert with { Model = TestStages.Model with { Width = 16 } } },
        { "channels", Invert, Invert with { Model = TestStages.Model with { Channels = 4 } } },
        { "T", Invert, Invert with { NumInferenceSteps = 11 } },
        { "network precision", Invert, Invert with { Precision = TestStages.Float32 with { Network = Dtype.Float16 } } },
        { "state precision", Invert, Invert with { Precision = TestStages.Float32 with { State = Dtype.Float16 } } },
        { "input stage", Invert, Invert with { Input = new StageRows("another") } },
        { "input file", Invert, Invert with { Input = new FileRows("x.pt", "digest", 128) } },
        { "digest of a file", Invert with { Input = new FileRows("x.pt", "one", 128) }, Invert with { Input = new FileRows("x.pt", "other", 128) } },
        { "seed", TestStages.Sample, TestStages.Sample with { Input = TestStages.Noise(43, 128) } },
        { "noise layout", TestStages.Sample, TestStages.Sample with { Input = TestStages.Noise(42, 128, NoiseLayout.PerSample) } },
        { "noise dtype", TestStages.Sample, TestStages.Sample with { Input = TestStages.Noise(42, 128) with { Dtype = Dtype.Float16 } } },
        { "swap", Full, Full with { Swap = null } },
        { "swap kind", Full, Full with { Swap = Full.Swap! with { Kind = SwapKind.Eps } } },
        { "swap K", Full, Full with { Swap = Full.Swap! with { Before = 9 } } },
        { "swap source", Full, Full with { Swap = Full.Swap! with { Source = new StageRows("another") } } },
        { "noise of a swap of xt that reaches it", Full, Full with { Swap = Full.Swap! with { Noise = TestStages.Noise(43, 128) } } },
        { "forward", Full, Full with { Forward = null } },
        { "forward K", Full, Full with { Forward = Full.Forward! with { Before = 2 } } },
        { "forward seed", Full, Full with { Forward = Full.Forward! with { Noise = TestStages.Noise(998, 128) } } },
        { "conditions", Full, Full with { Conditions = null } },
        { "digest of conditions", Full, Full with { Conditions = Conds with { Digest = "another" } } },
        { "seed of drawn classes", Drawn(10, 4), Drawn(11, 4) },
        { "rows of a drawn class", Drawn(10, 4), Drawn(10, 2) },
        { "class names", Drawn(10, 4), Full with { Conditions = new DrawnClassRows(10, 4, "other names", 128) } },
        { "listed classes", Listed(207, 4), Listed(208, 4) },
        { "rows of a listed class", Listed(207, 4), Listed(207, 1) },
        { "prompts", Full with { Conditions = Prompts }, Full with { Conditions = Prompts with { Digest = "another" } } },
        { "guidance", Full, Full with { Guidance = 7 } },
        { "guidance scale", Full with { Guidance = 7 }, Full with { Guidance = 7.5 } },
        { "pictures", Pictures("one", 64), Pictures("other", 64) },
        { "size of pictures", Pictures("one", 64), Pictures("one", 32) },
        { "shape of a result", Invert, Invert with { Output = new(3, 64, 64) } },
        { "forward alignment", Full, Full with { Forward = Full.Forward! with { Consistent = true } } },
        { "determinism", Full, Full with { Determinism = null } },
        { "deterministic batch", Full, Full with { Determinism = new(8, "cpu") } },
        { "kind of device", Full, Full with { Determinism = new(16, "cuda") } },
    };

    public static TheoryData<string, StageSpec, StageSpec> NoChanges => new()
    {
        { "N", TestStages.Sample, TestStages.Sample with { Input = TestStages.Noise(42, 256) } },
        { "N of per-sample noise", Odd(7, NoiseLayout.PerSample), Odd(8, NoiseLayout.PerSample) },
        { "N of forward noise", Full, Full with { Forward = Full.Forward! with { Noise = TestStages.Noise(999, 256) } } },
        { "where the model is", Invert, Invert with { Model = TestStages.Model with { Path = "elsewhere.json", WeightsPath = "w.pt", Family = "adm" } } },
        { "where a file is", Invert with { Input = new FileRows("a.pt", "d", 128) }, Invert with { Input = new FileRows("b.pt", "d", 256) } },
        { "where conditions are", Full, Full with { Conditions = Conds with { Path = "elsewhere.pt", TotalRows = 256 } } },
        { "how many classes are drawn", Drawn(10, 4), Full with { Conditions = new DrawnClassRows(10, 4, "names", 4096) } },
        {
            "where prompts are and how many are drawn",
            Full with { Conditions = Prompts },
            Full with { Conditions = Prompts with { DatasetPath = "/elsewhere", TotalRows = 4096 } }
        },
        { "no guidance in other words", Full with { Guidance = 1 }, Full with { Guidance = 0.5 } },
        { "noise precision of a stage that draws none", Invert, Invert with { Precision = TestStages.Float32 with { Noise = Dtype.Float16 } } },
        {
            "noise of a swap of xt that does not reach it",
            Full with { Swap = Full.Swap! with { Before = 9 } },
            Full with { Swap = Full.Swap! with { Before = 9, Noise = null } }
        },
    };

    [Theory]
    [MemberData(nameof(Changes))]
    public void Of_NumbersDiffer_KeysDiffer(string what, StageSpec one, StageSpec other) =>
        Assert.True(StageKey.Of(one) != StageKey.Of(other), $"the key does not see {what}");

    [Theory]
    [MemberData(nameof(NoChanges))]
    public void Of_NumbersAreTheSame_KeysAreTheSame(string what, StageSpec one, StageSpec other) =>
        Assert.True(StageKey.Of(one) == StageKey.Of(other), $"the key depends on {what}");

    [Theory]
    [InlineData(7, 8, false)]    // 35 and 40 values: neither a multiple of 16
    [InlineData(16, 32, true)]   // 80 and 160 values
    [InlineData(16, 33, false)]
    [InlineData(1, 2, false)]    // fewer than 16 values are drawn one by one
    public void Of_UpstreamNoiseOfOddRows_SeesNWhereTheTailDependsOnIt(int n, int other, bool same) =>
        Assert.Equal(same, StageKey.Of(Odd(n, NoiseLayout.Upstream)) == StageKey.Of(Odd(other, NoiseLayout.Upstream)));

    /// <summary>Keys that stores hold: a noise's layout, element type and tail among them.</summary>
    public static TheoryData<string, StageSpec, string> Known => new()
    {
        { "sample", TestStages.Sample, "5a888f018cbecdc7f026ddd6eaed71bb" },
        { "invert", Invert, "681ac784166f39a972488bca7537c758" },
        { "full", Full, "4ff37ce4bc215739652bfa7dbdf69b12" },
        { "upstream noise in float16", Drawing(Dtype.Float16), "aeba14bd0e6cee3741fd8d8cc1562cda" },
        { "upstream noise in bfloat16", Drawing(Dtype.BFloat16), "6f32081e7d1219e2c049c263c8ca8c02" },
        { "per-sample noise", Drawing(Dtype.Float32, NoiseLayout.PerSample), "8b017872e1ad9c3ff09598b2c3f6a822" },
        { "per-sample noise in float16", Drawing(Dtype.Float16, NoiseLayout.PerSample), "0ca9336eb7da75b2f920b8a948ac648a" },
        { "a seed of more than 32 bits", TestStages.Sample with { Input = TestStages.Noise(420 + (1L << 32), 128) }, "66904b0b60d5cca978669b37d9308999" },
        { "a tail of 35 values", Odd(7, NoiseLayout.Upstream), "61740a250c439093153b2dff9d0a3c37" },
        { "fewer than 16 values", Odd(1, NoiseLayout.Upstream), "1a3edd81f1eaa140864981d6e07306a9" },
        { "odd rows that fill blocks of 16", Odd(16, NoiseLayout.Upstream), "773fb9e838505753191c2c703ab6b670" },
        { "odd rows of per-sample noise", Odd(7, NoiseLayout.PerSample), "b3dcd8629f7c245e6748b349a1417e9f" },
        { "half precision", Drawing(Dtype.Float16) with { Precision = new(Dtype.Float16, Dtype.BFloat16, Dtype.Float16) }, "8a92352b33bea9b9cc0c16c5f25abe1e" },
        {
            "everything, in half precision",
            Full with
            {
                Precision = new(Dtype.BFloat16, Dtype.Float16, Dtype.Float32),
                Swap = Full.Swap! with { Noise = TestStages.Noise(42, 128) with { Dtype = Dtype.Float16 } },
                Forward = Full.Forward! with { Noise = TestStages.Noise(999, 128, NoiseLayout.PerSample) with { Dtype = Dtype.BFloat16 } },
            },
            "71462f4bf6440cad8b15c3afef5101da"
        },
    };

    [Theory]
    [MemberData(nameof(Known))]
    public void Of_KnownStages_IsTheKeyThatStoresHold(string what, StageSpec stage, string key) =>
        Assert.True(key == StageKey.Of(stage), $"the key of {what} was {key} and is {StageKey.Of(stage)}");

    [Fact]
    public void Fields_EveryStage_AreNamedOnceAndInTheKeyOnly()
    {
        var names = StageKey.Fields(Full).Select(f => f.Name).ToList();
        Assert.Equal(names.Count, names.Distinct().Count());
        Assert.DoesNotContain(StageKey.Fields(Full), f => f.Value.Contains('\n') || f.Value.Contains("conds.safetensors"));
    }

    static StageSpec Drawn(long seed, int rows) => Full with { Conditions = new DrawnClassRows(seed, rows, "names", 128) };

    static StageSpec Listed(long id, int rows) => Full with { Conditions = new ListedClassRows([id], rows) };

    static StageSpec Pictures(string digest, int size) => Invert with { Input = new ImageRows("pictures", digest, 128, size, size) };

    static StageSpec Drawing(Dtype dtype, NoiseLayout layout = NoiseLayout.Upstream) =>
        TestStages.Sample with { Input = TestStages.Noise(42, 128, layout) with { Dtype = dtype } };

    /// <summary>Rows of 5 values.</summary>
    static StageSpec Odd(int n, NoiseLayout layout) => TestStages.Sample with
    {
        Model = TestStages.Model with { Channels = 1, Height = 1, Width = 5 },
        Input = TestStages.Noise(42, n, layout),
    };
}
