using System.Text;
using ParquetSharp;
using Taba.Diffusion.Conditions;
using Taba.Testing;

namespace Taba.Diffusion.Tests.Conditions;

public sealed class PromptTableTests : IDisposable
{
    readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("p.csv", "id,prompt\n1,a cat\n2,\"a dog, running\"\n3,\"he said \"\"no\"\"\"\n")]
    [InlineData("p.csv", "\uFEFFPrompt\r\na cat\r\n\"a dog, running\"\r\n\"he said \"\"no\"\"\"\r\n")]
    [InlineData("p.csv", "caption,file\na cat,1.png\n\"a dog, running\",2.png\n\"he said \"\"no\"\"\",3.png")]
    [InlineData("p.CSV", "text,prompt\nwrong,a cat\nwrong,\"a dog, running\"\n\nwrong,\"he said \"\"no\"\"\"")]
    [InlineData("p.tsv", "id\tprompt\n1\ta cat\n2\ta dog, running\n3\t\"he said \"\"no\"\"\"\n")]
    [InlineData("p.jsonl", "{\"id\":1,\"prompt\":\"a cat\"}\n\n{\"prompt\":\"a dog, running\"}\n{\"prompt\":\"he said \\\"no\\\"\"}\n")]
    [InlineData("p.ndjson", "\"a cat\"\n\"a dog, running\"\n\"he said \\\"no\\\"\"")]
    [InlineData("p.json", "[{\"prompt\":\"a cat\"},{\"caption\":\"a dog, running\"},\"he said \\\"no\\\"\"]")]
    public void Read_TableWithAColumnOfPrompts_GivesTheirTexts(string name, string text) =>
        Assert.Equal(["a cat", "a dog, running", "he said \"no\""], PromptFile.Read(File(name, text)));

    [Fact]
    public void Read_CellOfSeveralLines_IsOnePrompt() =>
        Assert.Equal(["two\nlines", ""], PromptFile.Read(File("p.csv", "id,prompt\n1,\"two\r\nlines\"\n2,\n")));

    [Theory]
    [InlineData("p.csv", "a cat\na dog\n", "nor 'caption' nor 'text'); it has 'a cat'; its first line names the columns.")]
    [InlineData("p.csv", "id,file\n1,x.png\n", "it has 'id', 'file'")]
    [InlineData("p.csv", "prompt,prompt\na,b\n", "2 columns are called 'prompt'")]
    [InlineData("p.csv", "id,prompt\n1,a dog, running\n", "line 2: 3 cells where the first line names 2")]
    [InlineData("p.csv", "id,prompt\n1,a \"quoted\" dog\n", "line 2: a quotation mark stands where none may")]
    [InlineData("p.csv", "prompt\n", "holds no prompts")]
    [InlineData("p.jsonl", "{\"prompt\":\"a\"}\n{\"prompt\":3}\n", "line 2 is Number; every prompt is a string")]
    [InlineData("p.jsonl", "{\"prompt\":\"a\"}\n{\"prompt\":\n", "line 2 is not valid JSON")]
    [InlineData("p.jsonl", "{\"id\":1}\n", "line 1: no column is called 'prompt'")]
    [InlineData("p.yaml", "- a cat\n- a dog\n", "prompts are not read from .yaml")]
    [InlineData("p.parquet", "PAR1", "is damaged or no parquet file")]
    public void Read_TableWithoutOne_IsRefusedWithThePlace(string name, string text, string words)
    {
        var path = File(name, text);

        var refusal = Assert.Throws<InvalidDataException>(() => PromptFile.Read(path));

        Assert.StartsWith(path, refusal.Message, StringComparison.Ordinal);
        Assert.Contains(words, refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_CellThatIsTooLong_IsRefused() => Assert.Contains(
        "at most 65536 are read",
        Assert.Throws<InvalidDataException>(
            () => PromptFile.Read(File("p.csv", "prompt\n" + new string('x', PromptFile.MaxPromptLength + 1)))).Message,
        StringComparison.Ordinal);

    [Fact]
    public void Read_Parquet_GivesItsRowsInOrder()
    {
        var path = _folder.At("p.parquet");
        using (var file = new ParquetFileWriter(path, [new Column<int>("id"), new Column<string>("caption")]))
        {
            foreach (var texts in new[] { new[] { "a cat", "a dog" }, ["a bird"] })
            {
                using var group = file.AppendRowGroup();
                using (var ids = group.NextColumn().LogicalWriter<int>())
                    ids.WriteBatch([.. Enumerable.Range(0, texts.Length)]);
                using (var captions = group.NextColumn().LogicalWriter<string>())
                    captions.WriteBatch(texts);
            }
            file.Close();
        }

        Assert.Equal(["a cat", "a dog", "a bird"], PromptFile.Read(path));
    }

    string File(string name, string text)
    {
        var path = _folder.At(name);
        System.IO.File.WriteAllText(path, text, new UTF8Encoding(encoderShouldEmitUTF8Identifier: false));
        return path;
    }
}
