using System.Text.Json.Nodes;
using Taba.Diffusion.Models.Adm;
using Taba.Diffusion.Models.Families;
using Taba.Diffusion.Models.Gaussian;
using Taba.Diffusion.Schedules;
using static TorchSharp.torch;

namespace Taba.Diffusion.Tests.Models;

public sealed class ModelFileTests : IDisposable
{
    readonly string _folder = Directory.CreateTempSubdirectory("taba-model-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    string Write(string content)
    {
        var path = Path.Combine(_folder, "model.json");
        File.WriteAllText(path, content);
        return path;
    }

    string WriteAdm(string field, JsonNode? value)
    {
        var json = JsonNode.Parse("""
            { "family": "adm", "weights": "model.pt",
              "image_size": 32, "num_channels": 32, "num_res_blocks": 1, "num_heads": 4, "num_heads_upsample": -1, "num_head_channels": -1,
              "attention_resolutions": "16,8", "channel_mult": "", "class_cond": false, "use_scale_shift_norm": true, "resblock_updown": false,
              "use_fp16": false, "use_new_attention_order": false, "learn_sigma": true,
              "diffusion_steps": 4000, "noise_schedule": "cosine", "rescale_timesteps": true }
            """)!;
        json[field] = value;
        return Write(json.ToJsonString());
    }

    [Fact]
    public void Read_Adm_Everything()
    {
        var model = Assert.IsType<AdmDefinition>(ModelFile.Read(WriteAdm("class_cond", true)));

        Assert.Equal(Path.GetFileName(_folder), model.Name);
        Assert.Equal("adm", model.Family);
        Assert.Equal(new StateShape(3, 32, 32), model.Shape);
        Assert.Equal(1000, model.ClassCount);
        Assert.Equal(4000, model.DiffusionSteps);
        Assert.Equal(NoiseSchedule.Cosine, model.NoiseSchedule);
        Assert.True(model.RescaleTimesteps);
        Assert.Equal(Path.Combine(_folder, "model.pt"), model.WeightsPath);
        Assert.Equal([32, 64, 64, 64], model.Config.LevelChannels);
        Assert.Equal(10, model.CreateSchedule(10).NumInferenceSteps);
    }

    [Fact]
    public void Read_Gaussian_ScalarsStandForEveryChannel()
    {
        var path = Write("""{ "family": "gaussian", "height": 8, "width": 4, "mean": 0.1, "deviation": [0.1, 0.2, 1] }""");

        var model = Assert.IsType<GaussianDefinition>(ModelFile.Read(path));

        Assert.Equal(new StateShape(3, 8, 4), model.Shape);
        Assert.Equal([0.1, 0.1, 0.1], model.Mean);
        Assert.Equal([0.1, 0.2, 1], model.Deviation);
        Assert.Null(model.WeightsPath);
        Assert.False(model.NeedsWeights);
    }

    [Theory]
    [InlineData("num_chanels", "32", "num_chanels")]
    [InlineData("image_size", "\"32\"", "image_size")]
    [InlineData("image_size", "0", "image_size")]
    [InlineData("image_size", "1e99", "image_size")]
    [InlineData("image_size", "48", "channel_mult")]
    [InlineData("image_size", "null", "image_size")]
    [InlineData("num_channels", "48", "multiple of 32")]
    [InlineData("num_heads", "5", "num_heads")]
    [InlineData("num_head_channels", "0", "num_head_channels")]
    [InlineData("attention_resolutions", "\"16,x\"", "attention_resolutions")]
    [InlineData("attention_resolutions", "\"0\"", "attention_resolutions")]
    [InlineData("channel_mult", "\"1,2,2,2,2,2,2\"", "halved")]
    [InlineData("class_cond", "1", "class_cond")]
    [InlineData("noise_schedule", "\"sigmoid\"", "noise_schedule")]
    [InlineData("predict_xstart", "true", "predict_xstart")]
    [InlineData("family", "\"dit\"", "family")]
    public void Read_BadField_OneSentenceNamesFileAndField(string field, string value, string named)
    {
        var path = WriteAdm(field, JsonNode.Parse(value));

        var error = Assert.Throws<InvalidDataException>(() => ModelFile.Read(path));

        Assert.Contains(path, error.Message, StringComparison.Ordinal);
        Assert.Contains(named, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
    }

    [Theory]
    [InlineData("not json")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("""{ "family": "adm" }""")]
    [InlineData("""{ "family": "adm", "family": "gaussian" }""")]
    [InlineData("""{ "family": "gaussian", "image_size": 8, "mean": 0 }""")]
    [InlineData("""{ "family": "gaussian", "image_size": 8, "mean": 0, "deviation": -1 }""")]
    [InlineData("""{ "family": "gaussian", "image_size": 8, "mean": [0, 0], "deviation": 1 }""")]
    [InlineData("""{ "family": "gaussian", "mean": 0, "deviation": 1 }""")]
    public void Read_BadFile_Refuses(string content) => Assert.Throws<InvalidDataException>(() => ModelFile.Read(Write(content)));

    [Fact]
    public void Read_TrainingOnlyFlags_AreAccepted()
    {
        var path = WriteAdm("dropout", 0.1);

        Assert.Equal(ModelFile.Read(WriteAdm("use_checkpoint", false)).Canonical, ModelFile.Read(path).Canonical);
    }

    [Theory]
    [InlineData("learn_sigma", "false")]
    [InlineData("diffusion_steps", "1000")]
    [InlineData("noise_schedule", "\"linear\"")]
    [InlineData("rescale_timesteps", "false")]
    [InlineData("num_heads", "8")]
    [InlineData("use_new_attention_order", "true")]
    public void Canonical_FieldThatChangesNumbers_ChangesIt(string field, string value)
    {
        var before = ModelFile.Read(WriteAdm("use_fp16", false)).Canonical;

        Assert.NotEqual(before, ModelFile.Read(WriteAdm(field, JsonNode.Parse(value))).Canonical);
    }

    [Fact]
    public void WithSampleSize_AdmSideNotHalvable_Refuses()
    {
        var model = ModelFile.Read(WriteAdm("use_fp16", false));

        Assert.Equal(new StateShape(3, 40, 16), model.WithSampleSize(40, 16).Shape);
        Assert.Throws<ArgumentException>(() => model.WithSampleSize(36, 32));
    }

    [Fact]
    public void Load_AdmWithoutWeights_SaysWhereToNameThem()
    {
        var model = ModelFile.Read(WriteAdm("weights", ""));

        var error = Assert.Throws<ArgumentException>(() => model.Load(null, CPU, ScalarType.Float32));

        Assert.Contains("weights", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_OtherSampleSize_NetworkOfThatSize()
    {
        var model = (AdmDefinition)ModelFile.Read(WriteAdm("use_fp16", false)).WithSampleSize(16, 24);
        using var scope = NewDisposeScope();
        using var network = AdmUnet.Load(model.Config, new RandomWeights(model.Parameters), CPU, ScalarType.Float32, model.Shape);

        var eps = network.PredictEps(zeros(network.Shape.Batch(2)), tensor([1f, 2f]), null);

        Assert.Equal([2, 3, 16, 24], eps.shape);
    }
}
