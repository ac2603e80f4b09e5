using System.Text;
using Taba.Diffusion.Weights;
using Taba.Testing;
using static TorchSharp.torch;

namespace Taba.Diffusion.Tests.Weights;

public sealed class ModelFolderTests : IDisposable
{
    readonly TempFolder _folder = new();

    public static TheoryData<string> Cases => [.. Fixtures.Cases("models", ModelFolder.IndexFile)];

    public void Dispose() => _folder.Dispose();

    ModelFolder Open(string json)
    {
        _folder.Write(ModelFolder.IndexFile, Encoding.UTF8.GetBytes(json));
        return ModelFolder.Open(_folder.Path, "dit-xl-2-256");
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Open_ReferenceFolder_HasConfigsAndWeightsOfItsNetworks(string name)
    {
        var folder = ModelFolder.Open(Fixtures.At(name));
        Assert.NotEmpty(folder.Components);
        foreach (var component in folder.Components.Values)
        {
            Assert.Equal(System.Text.Json.JsonValueKind.Object, folder.Config(component.Name).ValueKind);
            if (component.ClassName.EndsWith("Scheduler", StringComparison.Ordinal) || component.ClassName.EndsWith(
                "Tokenizer", StringComparison.Ordinal))
                continue;
            using var weights = folder.OpenWeights(component.Name);
            using var tensor = weights.Load(weights.Names.First(), ScalarType.Float32, CPU);
            Assert.True(tensor.numel() > 0);
        }
    }

    [Fact]
    public void Open_DitFolder_NamesItsPipelineAndClasses()
    {
        var folder = ModelFolder.Open(Fixtures.At("models/dit_tiny"));
        Assert.Equal("DiTPipeline", folder.Pipeline);
        Assert.Equal(new ModelComponent("transformer", "diffusers", "Transformer2DModel"), folder.Component("transformer"));
        Assert.Equal(1000, folder.Id2Label.Count);
        Assert.Equal("goldfish", folder.Id2Label[1]);
        Assert.Equal(8, folder.Config("transformer").GetProperty("sample_size").GetInt32());
    }

    [Fact]
    public void Open_NullComponents_AreAbsent()
    {
        var folder = ModelFolder.Open(Fixtures.At("models/if_tiny"));
        Assert.Equal(["scheduler", "text_encoder", "tokenizer", "unet"], folder.Components.Keys.Order(StringComparer.Ordinal));
        Assert.Empty(folder.Id2Label);
    }

    [Fact]
    public void Open_FolderWithoutIndex_NamesFolderAndRemedy()
    {
        var error = Assert.Throws<InvalidDataException>(() => ModelFolder.Open(_folder.Path, "if-i-xl"));
        Assert.Contains(_folder.Path, error.Message, StringComparison.Ordinal);
        Assert.Contains("taba models pull if-i-xl", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Config_WhatIsMissing_IsNamedWithTheRemedy()
    {
        var folder = Open("""{"_class_name":"DiTPipeline","vae":["diffusers","AutoencoderKL"]}""");
        Assert.Contains(
            "no component 'unet'", Assert.Throws<InvalidDataException>(() => folder.Config("unet")).Message, StringComparison.Ordinal);
        Refused(() => folder.Config("vae"), "lacks the folder of its component 'vae'");
        Directory.CreateDirectory(_folder.At("vae"));
        Refused(() => folder.Config("vae"), "'vae'", "has no config");
        Refused(() => folder.OpenWeights("vae"), "holds no weights");

        void Refused(Func<object> read, params string[] words)
        {
            var message = Assert.Throws<InvalidDataException>(read).Message;
            Assert.All(words, word => Assert.Contains(word, message, StringComparison.Ordinal));
            Assert.Contains(_folder.Path, message, StringComparison.Ordinal);
            Assert.Contains("taba models pull dit-xl-2-256", message, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("", "not valid JSON")]
    [InlineData("3", "not a JSON object")]
    [InlineData("{}", "names no pipeline")]
    [InlineData("""{"_class_name":"P","../up":["diffusers","M"]}""", "'../up' is not a component")]
    [InlineData("""{"_class_name":"P","/etc":["diffusers","M"]}""", "'/etc' is not a component")]
    [InlineData("""{"_class_name":"P","unet":["diffusers",3]}""", "'unet' is not a component")]
    [InlineData("""{"_class_name":"P","unet":["diffusers",null]}""", "'unet' is not a component")]
    [InlineData("""{"_class_name":"P","id2label":[1]}""", "id2label")]
    [InlineData("""{"_class_name":"P","id2label":{"x":"cat"}}""", "'x'")]
    [InlineData("""{"_class_name":"P","id2label":{"0":"cat","00":"dog"}}""", "'00'")]
    [InlineData("""{"_class_name":"P","_class_name":"Q"}""", "not valid JSON")]
    public void Open_HostileIndex_IsRefused(string json, string expected) =>
        Assert.Contains(expected, Assert.Throws<InvalidDataException>(() => Open(json)).Message, StringComparison.Ordinal);

    [Fact]
    public void Open_DeeplyNestedIndex_IsRefused() =>
        Assert.Throws<InvalidDataException>(() => Open($$"""{"_class_name":"P","x":{{new string('[', 5000)}}{{new string(']', 5000)}}}"""));

    [Fact]
    public void Open_SettingsOfThePipeline_AreNoComponents() =>
        Assert.Empty(Open(
            """{"_class_name":"P","requires_safety_checker":false,"sizes":[1,2,3],"_name":"x","watermarker":[null,null]}""").Components);
}
